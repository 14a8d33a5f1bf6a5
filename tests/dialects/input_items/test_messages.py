from __future__ import annotations

from typing import Any

import pytest

from headway.dialects.input_items.messages import Conversation, convert_items
from headway.dialects.input_items.notes import Notes
from headway.errors import RequestError
from headway.wire.sealed_reasoning import seal

DETAIL = {"type": "reasoning.text", "text": "T", "signature": "S", "format": "f", "index": 0}


def convert(*items: Any) -> list[Any]:
    conversation = Conversation(Notes())
    convert_items(items, conversation)
    return list(conversation.messages())


def said(text: Any, **more: Any) -> Any:
    return {"role": "assistant", "content": text, **more}


def call(call_id: str, name: str = "f", arguments: str = "{}") -> Any:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def result(call_id: str, content: Any = "R") -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def call_item(call_id: str, **more: Any) -> Any:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}", **more}


def result_item(call_id: str, output: Any = "R") -> Any:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


USER = {"role": "user", "content": "Q"}
TEXT_ITEM = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "A"}],
}


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        ([USER], [USER]),
        ([{"type": "message", **USER}], [USER]),
        ([{"role": "user", "content": None}], [{"role": "user", "content": ""}]),
        (
            [{"role": "developer", "content": "D"}, {"role": "system", "content": "S"}],
            [{"role": "developer", "content": "D"}, {"role": "system", "content": "S"}],
        ),
        ([USER, TEXT_ITEM, USER], [USER, said("A"), USER]),
        ([{"role": "assistant", "content": ""}], []),
        (
            [TEXT_ITEM, TEXT_ITEM],
            [said([{"type": "text", "text": "A"}, {"type": "text", "text": "A"}])],
        ),
        (
            [TEXT_ITEM, {"role": "assistant", "content": [{"type": "refusal", "refusal": "N"}]}],
            [said([{"type": "text", "text": "A"}, {"type": "refusal", "refusal": "N"}])],
        ),
    ],
)
def test_messages_keep_their_roles_and_order(items: list[Any], messages: list[Any]) -> None:
    assert convert(*items) == messages


def test_the_items_of_one_answer_are_one_message() -> None:
    reasoning = {"type": "reasoning", "summary": [], "encrypted_content": seal([DETAIL])}
    raw = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}
    assert convert(USER, reasoning, raw, raw, TEXT_ITEM, call_item("1"), call_item("2")) == [
        USER,
        said(
            "A",
            reasoning_details=[DETAIL],
            reasoning_content="Hm\n\nHm",
            tool_calls=[call("1"), call("2")],
        ),
    ]


def test_details_of_openai_know_their_place_in_the_answer() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"}
    _, message = convert(USER, TEXT_ITEM, reasoning, call_item("1"), reasoning)
    assert [each["index"] for each in message["reasoning_details"]] == [1, 3]


def test_results_follow_the_message_with_their_call_wherever_they_are() -> None:
    developer = {"role": "developer", "content": "D"}
    items = [call_item("1"), call_item("2"), developer, result_item("2"), USER, result_item("1")]
    assert convert(*items) == [
        said(None, tool_calls=[call("1"), call("2")]),
        result("2"),
        result("1"),
        developer,
        USER,
    ]


def test_calls_with_results_between_them_are_messages_of_their_own() -> None:
    items = [call_item("1"), result_item("1"), call_item("2"), result_item("2")]
    assert convert(*items) == [
        said(None, tool_calls=[call("1")]),
        result("1"),
        said(None, tool_calls=[call("2")]),
        result("2"),
    ]


def test_a_result_without_a_call_stays_for_the_provider_to_judge() -> None:
    assert convert(result_item("9"), TEXT_ITEM) == [result("9"), said("A")]


def test_a_result_may_have_images_and_files() -> None:
    output = [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": "data:,a"},
        {"type": "input_file", "file_data": "data:,b", "filename": "b.pdf"},
    ]
    _, found = convert(call_item("1"), result_item("1", output))
    assert found["content"] == [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "data:,a"}},
        {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:,b"}},
    ]


def test_custom_calls_are_calls_of_the_function_that_stands_for_them() -> None:
    item = {"type": "custom_tool_call", "call_id": "1", "name": "patch", "input": 'a "b"'}
    assert convert(item, {**result_item("1", ""), "type": "custom_tool_call_output"}) == [
        said(None, tool_calls=[call("1", "patch", '{"input":"a \\"b\\""}')]),
        result("1", ""),
    ]


def test_a_call_in_a_namespace_has_the_functions_name() -> None:
    (message,) = convert(call_item("1", namespace="crm", arguments=None))
    assert message["tool_calls"] == [call("1", "crm__f")]


@pytest.mark.parametrize(
    ("items", "arguments", "content"),
    [
        (
            (
                {"type": "local_shell_call", "call_id": "1", "action": {"command": ["ls"]}},
                {"type": "local_shell_call_output", "id": "1", "output": "a"},
            ),
            '{"command":["ls"]}',
            "a",
        ),
        (
            (
                {"type": "apply_patch_call", "call_id": "1", "operation": {"path": "a"}},
                {"type": "apply_patch_call_output", "call_id": "1", "status": "completed"},
            ),
            '{"path":"a"}',
            "completed",
        ),
        (
            (
                {"type": "shell_call", "call_id": "1"},
                {"type": "shell_call_output", "call_id": "1", "output": [{"stdout": "a"}]},
            ),
            "{}",
            '[{"stdout":"a"}]',
        ),
    ],
    ids=["local shell", "patch", "shell"],
)
def test_what_the_client_ran_for_openais_tools_stays(
    items: Any, arguments: str, content: str
) -> None:
    message, found = convert(*items)
    assert message["tool_calls"][0]["function"]["arguments"] == arguments
    assert message["tool_calls"][0]["function"]["name"] == items[0]["type"][: -len("_call")]
    assert found["content"] == content


def test_items_that_openai_made_are_left_out_and_said() -> None:
    notes = Notes()
    conversation = Conversation(notes)
    convert_items([{"type": "web_search_call", "id": "ws_1"}, USER], conversation)
    assert list(conversation.messages()) == [USER]
    assert [str(each) for each in notes.transformations] == [
        "dropped input[].web_search_call: only providers with OpenAI's Responses API have this item"
    ]


@pytest.mark.parametrize(
    ("item", "named", "advice"),
    [
        ({"type": "compaction_trigger"}, "input[1]", "Choose such a provider"),
        ({"type": "compaction", "encrypted_content": "gA"}, "input[1]", "send the conversation"),
        ({"type": "item_reference", "id": "msg_1"}, "input[1]", "Send the item itself"),
        ({"role": "tool", "content": ""}, "input[1].role", "user, system, developer, assistant"),
        ({}, "input[1].role", "must be one of"),
        ({"type": "function_call", "call_id": "1"}, "input[1].name", "must be a text"),
        ({"type": "function_call_output", "output": ""}, "input[1].call_id", "must be a text"),
        ({"role": "user", "content": 7}, "input[1].content", "a list of content parts"),
    ],
)
def test_what_cannot_be_converted_is_refused_by_its_place(
    item: Any, named: str, advice: str
) -> None:
    with pytest.raises(RequestError, match=advice) as caught:
        convert(USER, item)
    assert caught.value.param == named
    assert caught.value.status == 400
