"""Chat messages as input items of the Responses API."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.openai_responses.provider import PROVIDER
from support.responses_requests import HELLO, SAID, TARGET, call, items, request, sent


def test_a_system_message_at_the_start_becomes_instructions() -> None:
    system = {"role": "system", "content": "Be brief."}
    body = sent(request(messages=[system, *HELLO]))
    assert (body["instructions"], body["input"]) == ("Be brief.", [SAID])


ITEMS = {
    "system": {"role": "system", "content": "Be brief."},
    "developer": {"role": "developer", "content": "Be brief."},
    "parts": {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
}


def test_other_system_messages_are_items() -> None:
    item = {"type": "message", **ITEMS["system"]}
    assert items(*HELLO, ITEMS["system"]) == [SAID, item]
    assert items(ITEMS["system"]) == [item]
    assert items(ITEMS["developer"], *HELLO)[0]["role"] == "developer"
    assert items(ITEMS["parts"], *HELLO)[0]["content"] == [
        {"type": "input_text", "text": "Be brief."}
    ]
    body = sent(request(messages=[ITEMS["system"], *HELLO], instructions="Own."))
    assert (body["instructions"], body["input"]) == ("Own.", [item, SAID])


def test_tool_calls_and_their_results_are_items() -> None:
    assistant = {"role": "assistant", "content": "Let me see.", "tool_calls": [call(1), call(2)]}
    image = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
    results = [
        {"role": "tool", "tool_call_id": "call_1", "content": "20 C"},
        {"role": "tool", "tool_call_id": "call_2", "content": [image]},
    ]
    same = {"type": "function_call", "name": "weather", "arguments": "{}"}
    assert items(*HELLO, assistant, *results) == [
        SAID,
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {**same, "call_id": "call_1"},
        {**same, "call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": "20 C"},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_image", "image_url": "https://x/a.png"}],
        },
    ]


def test_a_call_of_a_custom_tool_stays_one_of_a_custom_tool() -> None:
    tools = [{"type": "custom", "custom": {"name": "sql"}}]
    said = {"id": "call_1", "type": "function", "function": {"name": "sql", "arguments": "SELECT"}}
    own = {"id": "call_2", "type": "custom", "custom": {"name": "other", "input": "text"}}
    found = items(
        {"role": "assistant", "tool_calls": [said, own]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        {"role": "tool", "tool_call_id": "call_2", "content": None},
        tools=tools,
    )
    same = {"type": "custom_tool_call"}
    assert found == [
        {**same, "call_id": "call_1", "name": "sql", "input": "SELECT"},
        {**same, "call_id": "call_2", "name": "other", "input": "text"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": ""},
    ]


def test_deprecated_function_calls_get_ids() -> None:
    found = items(
        {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "content": None, "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "2"},
    )
    ids = [item["call_id"] for item in found]
    assert ids == [f"function_call_{number}" for number in (1, 1, 2, 2)]
    assert found[0]["arguments"] == "{}"


def test_text_and_refusal_of_an_assistant_are_sent_back() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]
    said = [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]
    item = {"type": "message", "role": "assistant", "content": said}
    assert items({"role": "assistant", "content": parts}) == [item]
    assert items({"role": "assistant", "content": "a", "refusal": "b"}) == [item]
    assert items({"role": "assistant", "refusal": "b"})[0]["content"] == said[1:]
    assert items({"role": "assistant", "content": "a", "phase": "commentary"}) == [
        {"type": "message", "role": "assistant", "content": "a", "phase": "commentary"}
    ]
    assert items({"role": "assistant", "content": ""}) == []


def test_a_joined_text_is_split_into_its_messages_unless_it_was_edited() -> None:
    places = [{"index": 0, "length": 3, "phase": "commentary"}, {"index": 2, "length": 0}]
    said = {"role": "assistant", "content": "One", "refusal": "No", "output_messages": places}
    one = {"type": "message", "role": "assistant", "content": "One", "phase": "commentary"}
    no = {"type": "message", "role": "assistant"}
    refusal = {"type": "refusal", "refusal": "No"}
    assert items({**said, "tool_calls": [call(1)]}) == [
        one,
        {"type": "function_call", "name": "weather", "arguments": "{}", "call_id": "call_1"},
        {**no, "content": [refusal]},
    ]
    for content in ("Another", [{"type": "text", "text": "One"}]):
        text = {"type": "output_text", "text": content if isinstance(content, str) else "One"}
        assert items({**said, "content": content}) == [{**no, "content": [text, refusal]}]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "nobody", "content": "a"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
    ],
)
def test_an_invalid_message_is_a_request_error(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        PROVIDER.encode_request(request(messages=[message]), TARGET)
    assert caught.value.param == "messages"


def test_an_empty_message_that_is_not_the_users_is_left_out() -> None:
    empty = {"role": "assistant", "content": ""}
    assert items(*HELLO, empty) == items(*HELLO)
