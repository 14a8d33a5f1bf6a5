from __future__ import annotations

import json
from typing import Any

from headway.providers.native_api import SocketMessage
from headway.providers.openai.realtime_messages import read_messages

IMAGE = "data:image/png;base64,AAAA"


def read(event: Any) -> list[SocketMessage]:
    return list(read_messages(json.dumps(event).encode()))


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.added", "item": {"id": "i1", "type": "message", **fields}}


def test_items_are_messages_of_a_chat() -> None:
    for fields, message in (
        (
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"role": "user", "content": "Hi"},
        ),
        (
            {"role": "system", "content": [{"text": "Be "}, {"text": "kind"}]},
            {"role": "system", "content": "Be kind"},
        ),
        (
            {"role": "assistant", "content": [{"type": "output_audio", "transcript": "Hello"}]},
            {"role": "assistant", "content": "Hello"},
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "transcript": None}]},
            {"role": "user", "content": None},
        ),
        ({"role": "assistant", "content": []}, {"role": "assistant", "content": None}),
        (
            {"role": "user", "content": [{"text": "See"}, {"image_url": IMAGE}, {"text": None}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See"},
                    {"type": "image_url", "image_url": {"url": IMAGE}},
                ],
            },
        ),
    ):
        for name in ("created", "added", "done", "retrieved"):
            event = {**item(**fields), "type": f"conversation.item.{name}"}
            assert read(event) == [SocketMessage("i1", message)], (fields, name)


def test_calls_of_functions_and_their_results_are_messages() -> None:
    call = item(type="function_call", call_id="c1", name="look", arguments="{}")
    function = {"name": "look", "arguments": "{}"}
    assert read(call)[0].message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    result = item(type="function_call_output", call_id="c1", output="7")
    assert read(result)[0].message == {"role": "tool", "tool_call_id": "c1", "content": "7"}


def test_a_response_has_the_whole_answer() -> None:
    answer = {"id": "i2", "type": "message", "role": "assistant", "content": [{"text": "Hello"}]}
    event = {"type": "response.done", "response": {"output": [answer, {"type": "mcp_call"}]}}
    assert read(event) == [SocketMessage("i2", {"role": "assistant", "content": "Hello"})]


def test_a_transcript_belongs_to_its_item_and_a_deleted_item_is_gone() -> None:
    done = "conversation.item.input_audio_transcription.completed"
    assert read({"type": done, "item_id": "i1", "transcript": "Hi"}) == [
        SocketMessage("i1", {"content": "Hi"})
    ]
    assert read({"type": "conversation.item.deleted", "item_id": "i1"}) == [
        SocketMessage("i1", None)
    ]


def test_instructions_are_a_message_of_the_system() -> None:
    for name in ("session.created", "session.updated"):
        event = {"type": name, "session": {"instructions": "Be kind"}}
        assert read(event) == [
            SocketMessage("session.instructions", {"role": "system", "content": "Be kind"})
        ]


def test_other_messages_say_nothing_of_the_conversation() -> None:
    for event in (
        {"type": "response.output_audio.delta", "delta": "AAAA"},
        {"type": "response.done", "response": None},
        {"type": "conversation.item.added", "item": None},
        {"type": "conversation.item.truncated", "item_id": "i1"},
        {"type": "session.created", "session": {}},
        {"type": "session.created"},
        {"type": "other", "text": '"response.done"', "session": {"instructions": "x"}},
        item(role="somebody"),
        item(type="mcp_list_tools"),
        ["response.done"],
    ):
        assert read(event) == [], event
    for payload in (b"", b'"response.done" and no JSON', b'{"type":"response.done"\xff}'):
        assert list(read_messages(payload)) == [], payload
