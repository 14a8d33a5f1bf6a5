"""Ollama's responses in both formats, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.events import (
    Event,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.providers.ollama.provider import PROVIDER
from headway.types import Usage
from support.for_each import for_each


def streamed(*pieces: bytes) -> list[Event]:
    framer, state = PROVIDER.framer(), {}  # type: ignore[var-annotated]
    frames = [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def line(**fields: Any) -> bytes:
    message = fields.pop("message", {"role": "assistant", "content": ""})
    at = "2024-05-24T20:01:31.01558Z"
    return json.dumps({"model": "m", "created_at": at, "message": message, **fields}).encode()


BEGUN = Started(model="m", created=1716580891)
LOGPROB = {"token": "a", "logprob": -1.0, "bytes": [97]}
UNNAMED = {"function": {"name": "f", "arguments": {"b": 1, "a": "ö"}}}
SHOWN = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
COUNTED = UsageReported(Usage(input_tokens=3, output_tokens=2), SHOWN)
LINES: list[tuple[str, bytes, list[Event]]] = [
    ("first line", line(done=False), [BEGUN]),
    ("invalid time", b'{"model":"m","message":{},"created_at":"now"}', [Started(model="m")]),
    ("thinking and text", line(message={"content": "a", "thinking": "hm"}),
     [BEGUN, Reasoning("hm"), Text("a")]),
    ("logprobs", line(logprobs=[LOGPROB]),
     [BEGUN, Logprobs({"content": [{**LOGPROB, "top_logprobs": []}]})]),
    ("finish with counts", line(done=True, done_reason="length", prompt_eval_count=3, eval_count=2),
     [BEGUN, Finished("length"), COUNTED]),
    ("finish without a reason", line(done=True), [BEGUN, Finished(None)]),
    ("finish load", line(done=True, done_reason="load"), [BEGUN, Finished("stop")]),
    ("unknown finish reason", line(done=True, done_reason="bored"), [BEGUN, Finished("stop")]),
    ("missing prompt count", line(done=True, eval_count=2),
     [BEGUN, Finished(None), UsageReported(Usage(output_tokens=2), {
         "prompt_tokens": None, "completion_tokens": 2, "total_tokens": None})]),
    ("tool calls without ids", line(message={"tool_calls": [UNNAMED, UNNAMED]}, done=True),
     [BEGUN, ToolStarted(0, "call_2024052420013101558_0", "f"),
      ToolArguments(0, '{"b":1,"a":"\\u00f6"}'),
      ToolStarted(1, "call_2024052420013101558_1", "f"), ToolArguments(1, '{"b":1,"a":"\\u00f6"}'),
      Finished(None)]),
    ("tool call with an id and no arguments",
     line(message={"tool_calls": [{"id": "x", "function": {"name": "f"}}]}),
     [BEGUN, ToolStarted(0, "x", "f"), ToolArguments(0, "{}")]),
]  # fmt: skip


@for_each(("body", "expected"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_a_line_is_decoded_in_a_stream_and_as_a_whole_response(
    body: bytes, expected: list[Event]
) -> None:
    assert streamed(body + b"\n") == expected
    assert streamed(b"\n", body) == expected
    assert PROVIDER.decode_response(body) == expected


def test_tool_calls_are_numbered_across_lines_and_finish_with_tool_calls() -> None:
    call = line(message={"tool_calls": [UNNAMED]}) + b"\n"
    found = streamed(call, call, line(done=True, done_reason="stop"))
    names = [event.id for event in found if isinstance(event, ToolStarted)]
    assert names == ["call_2024052420013101558_0", "call_2024052420013101558_1"]
    assert found[-1] == Finished("tool_calls")


def test_the_last_line_may_have_no_message() -> None:
    assert streamed(line() + b"\n", b'{"done":true}') == [BEGUN, Finished(None)]


def test_a_length_finish_stays_length_after_a_tool_call() -> None:
    found = streamed(line(message={"tool_calls": [UNNAMED]}, done=True, done_reason="length"))
    assert found[-1] == Finished("length")


@pytest.mark.parametrize("error", ["out of luck", {"message": "out of luck", "type": "api_error"}])
def test_an_error_in_a_stream_or_a_body_of_status_200_is_failed(error: Any) -> None:
    body = json.dumps({"error": error}).encode()
    failures = [
        streamed(line() + b"\n", body)[-1],
        streamed(body)[0],
        PROVIDER.decode_response(body)[0],
    ]
    for event in failures:
        assert isinstance(event, Failed)
        assert str(event.error) == "out of luck"


def test_a_stream_of_the_openai_api_is_decoded() -> None:
    chunk = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    body = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    expected = [Started("1", "m"), Text("a"), StreamEnd()]
    assert streamed(body) == expected
    assert streamed(*[body[at : at + 1] for at in range(len(body))]) == expected
    failed = streamed(body[:-14], b'{"error":"gone"}\n\n')[-1]
    assert isinstance(failed, Failed)


def test_a_whole_response_of_the_openai_api_is_decoded() -> None:
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}
    body = json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode()
    expected = [Started("1", "m"), Text("a"), Finished("stop"), StreamEnd()]
    assert PROVIDER.decode_response(body) == expected


def test_an_empty_stream_has_no_events() -> None:
    assert streamed() == []
    assert streamed(b"", b"\n") == []
