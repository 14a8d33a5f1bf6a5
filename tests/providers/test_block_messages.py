"""Chat messages become a system prompt and messages of content blocks."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import ValidationError

from headway.errors import RequestError
from headway.providers.block_messages import Block, BlockMessage, Roles, convert_messages
from support.adapter_requests import raw


def text_block(message: BlockMessage) -> list[Block]:
    return [{"text": message.content}] if message.content else []


def call_blocks(message: BlockMessage) -> list[Block]:
    calls = [{"call": call.id} for call in message.tool_calls or ()]
    return [*text_block(message), *calls]


def result_block(message: BlockMessage) -> list[Block]:
    return [{"result": message.tool_call_id}]


ROLES: Roles = {
    "system": (None, text_block),
    "user": ("user", text_block),
    "assistant": ("model", call_blocks),
    "function": ("user", result_block),
}
CALL = {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "function", "name": "f", "content": "1"}


def test_system_messages_are_separate_and_adjacent_messages_are_merged() -> None:
    given = [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "d"},
        {"role": "system", "content": "e"},
    ]
    assert convert_messages(raw(given), ROLES) == (
        [{"text": "b"}, {"text": "e"}],
        [
            {"role": "user", "content": [{"text": "a"}, {"text": "c"}]},
            {"role": "model", "content": [{"text": "d"}]},
        ],
    )


def test_deprecated_function_calls_and_their_results_get_ids() -> None:
    _, messages = convert_messages(raw([CALL, RESULT, CALL, RESULT]), ROLES)
    assert [message["content"] for message in messages] == [
        [{"call": "function_call_1"}],
        [{"result": "function_call_1"}],
        [{"call": "function_call_2"}],
        [{"result": "function_call_2"}],
    ]


def test_an_unknown_role_is_rejected() -> None:
    with pytest.raises(RequestError, match="no role 'critic'"):
        convert_messages(raw([{"role": "critic", "content": "x"}]), ROLES)


@pytest.mark.parametrize("given", [{"role": "user"}, [{"content": "x"}], [{"role": 7}]])
def test_malformed_messages_are_rejected(given: Any) -> None:
    with pytest.raises(ValidationError):
        convert_messages(raw(given), ROLES)
