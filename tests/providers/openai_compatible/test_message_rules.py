"""Rules for messages that need more than a line of the table in test_vendors.py."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.types import ChatRequest
from support.adapter_requests import chat

# vendor, message, the transformations as text
TEXTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("groq", {"role": "user", "content": "a", "name": "n"},
     ["dropped messages[].name: unsupported by Groq"]),
    ("cerebras", {"role": "developer", "content": "a"}, ["renamed developer -> system"]),
    ("cerebras", {"role": "assistant", "content": "a", "reasoning_content": "hm"},
     ["renamed messages[].reasoning_content -> reasoning"]),
    ("cerebras", {"role": "assistant", "reasoning": "a", "reasoning_content": "b"},
     ["dropped messages[].reasoning_content: reasoning is given too"]),
    ("cerebras", {"role": "assistant", "content": None, "refusal": "No."},
     ["emulated messages[].refusal: as the message's content"]),
    ("cerebras", {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
     ["dropped messages[].content[].cache_control: unsupported by Cerebras"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "said"), TEXTS)
def test_a_transformation_names_the_field_and_the_reason(
    kind: str, message: dict[str, Any], said: list[str]
) -> None:
    assert [str(one) for one in KINDS[kind].adapt(chat("m", [message, message]))[1]] == said


def test_messages_without_such_fields_stay_the_bytes_that_the_caller_sent() -> None:
    request = ChatRequest(model="m", messages=Raw(b'[{"role": "user",  "content": "Hi"}]'))
    assert KINDS["groq"].adapt(request) == (request, ())
