"""Responses of OpenAI's wire format that lack something, or have another shape than OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.pipeline_fakes import DONE, ROLE, STOP, USAGE, WHOLE, Pipe, event, text

INFERRED = "emulated finish_reason: {}, because the provider gave none"
CALL = event(
    {
        "tool_calls": [
            {
                "index": 0,
                "id": "a",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
            }
        ]
    }
)


def objects(pipe: Pipe) -> list[Any]:
    """The objects of the client's stream but the end mark."""
    blocks = pipe.sink.body.split(b"\n\n")[:-1]
    assert all(block.startswith(b"data: ") for block in blocks)
    return [json.loads(block[6:]) for block in blocks if block != b"data: [DONE]"]


def reasons(pipe: Pipe) -> list[str]:
    choices = [choice for one in objects(pipe) for choice in one["choices"]]
    return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]


# --- No finish reason -----------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "reason"), [(text("Hi"), "stop"), (CALL, "tool_calls")])
@pytest.mark.parametrize("ask", ["relayed", "events", "lines", "joined"])
def test_a_stream_with_its_end_mark_and_without_a_finish_reason_is_complete(
    ask: str, content: bytes, reason: str
) -> None:
    pipe = Pipe()
    if ask == "relayed":
        pipe.ask_openai(stream=True)
    elif ask == "events":
        pipe.ask((b"accept", b"text/event-stream"), is_stream=True)
    else:
        pipe.ask(is_stream=ask == "lines")
    pipe.upstream.stream(ROLE, content, USAGE, DONE)
    (record,) = pipe.records
    assert (record.outcome, record.finish_reason) == ("ok", reason)
    assert record.transformations == (INFERRED.format(reason),)
    if ask in ("relayed", "events"):
        assert reasons(pipe) == [reason]
    else:
        last = pipe.sink.lines[-1]
        assert last["choices"][0]["finish_reason"] == reason
        assert last["transformations"][0]["parameter"] == "finish_reason"


@pytest.mark.parametrize("given", [None, "", "null"])
@pytest.mark.parametrize("has_call", [False, True])
def test_a_whole_response_without_a_finish_reason_gets_one(given: Any, has_call: bool) -> None:
    said = json.loads(WHOLE)
    (choice,) = said["choices"]
    choice["finish_reason"] = given
    if has_call:
        call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        choice["message"] = {"role": "assistant", "content": None, "tool_calls": [call]}
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(json.dumps(said).encode())
    reason = "tool_calls" if has_call else "stop"
    assert pipe.sink.json["choices"][0]["finish_reason"] == reason
    assert pipe.records[0].finish_reason == reason
    assert pipe.records[0].transformations == (INFERRED.format(reason),)
    assert b"finish_reason" in pipe.sink.headers[b"x-headway-transformations"]


def test_a_stream_without_finish_reason_and_end_mark_is_truncated() -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.stream(ROLE, text("Hi"), USAGE)
    pipe.upstream.end()
    assert pipe.records[0].error_type == "truncated_stream"


# --- Other shapes ---------------------------------------------------------------------------------


def odd(name: str, delta: Any, finish: str | None = None, **more: Any) -> bytes:
    """A chunk with one oddity."""
    data = json.loads(event(delta, finish, **more)[6:])
    (choice,) = data["choices"]
    if name == "role":
        choice["delta"]["role"] = ""
    elif name == "index":
        del choice["index"]
    elif name == "id":
        del data["id"]
    elif name == "object":
        data["object"] = "chat.completion"
    elif name == "finish":
        choice["finish_reason"] = "" if finish is None else finish.upper()
    return b"data: " + json.dumps(data).encode() + b"\n\n"


@pytest.mark.parametrize("name", ["role", "index", "id", "object", "finish"])
def test_a_stream_in_another_shape_is_translated(name: str) -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(
        odd(name, {"content": ""}),
        *(odd(name, {"content": word}) for word in "abc"),
        odd(name, {"content": "d"}) + odd(name, {"content": "e"}) + odd(name, {"content": "f"}),
        odd(name, {"content": "g"}),
        odd(name, {}, "stop"),
        USAGE + DONE,
    )
    found = objects(pipe)
    deltas = [choice["delta"] for one in found for choice in one["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == "abcdefg"
    assert [delta["role"] for delta in deltas if "role" in delta] == ["assistant"]
    assert reasons(pipe) == ["stop"]
    assert {one["object"] for one in found} == {"chat.completion.chunk"}
    assert all(one["id"] and one["created"] for one in found)
    assert pipe.records[0].content_events == 7


@pytest.mark.parametrize("at_once", [False, True])
def test_a_stream_whose_last_chunk_alone_is_odd_is_translated_from_there(at_once: bool) -> None:
    pieces = [ROLE, *map(text, "abcdef")]
    ends = [odd("finish", {}, "max_tokens"), USAGE + DONE]
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    if at_once:
        pipe.upstream.stream(b"".join([*pieces, *ends]))
    else:
        pipe.upstream.stream(*pieces, *ends)
    assert pipe.sink.body.startswith(b"".join(pieces))
    assert reasons(pipe) == ["length"]
    assert pipe.records[0].finish_reason == "length"


def test_a_role_that_turns_odd_amid_texts_is_not_passed_through() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(ROLE, text("a"), odd("role", {"content": "b"}), text("c"), STOP, DONE)
    deltas = [choice["delta"] for one in objects(pipe) for choice in one["choices"]]
    assert [delta["role"] for delta in deltas if "role" in delta] == ["assistant"]
    assert "".join(delta.get("content", "") for delta in deltas) == "abc"


@pytest.mark.parametrize("contentless", [b"event: ping\n\n", b"data:\n\n", b"retry: 3000\n\n"])
@pytest.mark.parametrize("at_once", [False, True])
def test_frames_without_content_are_not_passed_on(contentless: bytes, at_once: bool) -> None:
    pieces = [contentless, ROLE, contentless, text("a"), contentless, text("b"), STOP, USAGE, DONE]
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*([b"".join(pieces)] if at_once else pieces))
    assert pipe.sink.body == ROLE + text("a") + text("b") + STOP + DONE


@pytest.mark.parametrize(
    "fields",
    [
        {"finish_reason": "SAFETY"},
        {"finish_reason": "MAX_TOKENS"},
        {"finish_reason": "eos"},
        {"message": {"role": "", "content": "Hello!"}},
        {"message": {"content": "Hello!"}},
    ],
)
def test_a_whole_response_in_another_shape_is_translated(fields: dict[str, Any]) -> None:
    said = json.loads(WHOLE)
    said["choices"][0].update(fields)
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(json.dumps(said).encode())
    (choice,) = pipe.sink.json["choices"]
    expected = {"SAFETY": "content_filter", "MAX_TOKENS": "length"}
    assert choice["finish_reason"] == expected.get(fields.get("finish_reason", ""), "stop")
    assert choice["message"] == {"role": "assistant", "content": "Hello!"}
    assert pipe.records[0].finish_reason == choice["finish_reason"]
