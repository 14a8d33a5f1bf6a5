from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import (
    HeadwayError,
    InternalError,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTruncated,
)
from headway.events import (
    Event,
    Finished,
    Reasoning,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import Frame, Usage
from support.dialect_samples import ENCODED_METRICS, METRICS, NO_FRAME, fold
from support.responses_samples import DIALECT, NOW, encode_all, new_context, read_events

STARTED = Started("x", "gpt-5-2025")
METRICS_ASKED = {"include_metrics": True}
USAGE = UsageReported(Usage(input_tokens=1, output_tokens=2))


def streamed(*frames: list[Event], **body: Any) -> list[Any]:
    stream = DIALECT.stream(new_context(stream=True, **body))
    data = encode_all(stream, *frames)
    response = fold(*(event for events in frames for event in events))
    return read_events(data + b"".join(stream.end(response, METRICS, NOW)))


def test_a_text_streams_in_numbered_events() -> None:
    texts = [[Text(text)] for text in ("He", "l\nl", "ö", "\u2028")]
    events = streamed([STARTED], *texts, [Finished("stop")], [USAGE], [StreamEnd()])
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 4,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    deltas = [event for event in events if event["type"].endswith("text.delta")]
    assert [event["delta"] for event in deltas] == ["He", "l\nl", "ö", "\u2028"]
    assert [{**event, "sequence_number": 0, "delta": ""} for event in deltas] == [
        {**deltas[0], "sequence_number": 0, "delta": ""}
    ] * 4
    first, last = events[0]["response"], events[-1]["response"]
    assert (first["id"], first["status"], first["output"]) == ("resp_a1", "in_progress", [])
    assert (last["id"], last["status"], last["model"]) == ("resp_a1", "completed", "gpt-5-2025")
    assert last["output"][0]["content"][0]["text"] == "Hel\nlö\u2028"
    assert last["usage"]["total_tokens"] == 3


def test_a_text_goes_on_after_another_event() -> None:
    call: list[Event] = [ToolStarted(0, "c", "f"), ToolArguments(0, "{}")]
    events = streamed([Reasoning("H")], [Text("A")], [Text("B", 1)], [Text("C")], call, [Text("D")])
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "message"]
    assert output[1]["content"][0]["text"] == "AC"
    assert output[3]["content"][0]["text"] == "D"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_a_stream_without_content_has_a_beginning_and_an_end() -> None:
    assert [event["type"] for event in streamed()] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


def test_a_stream_that_was_cut_is_incomplete() -> None:
    *_, item, last = streamed([Text("A")], [Finished("length")])
    assert item["item"]["status"] == "incomplete"
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_metrics_are_in_the_last_event_if_asked_for() -> None:
    stream = DIALECT.stream(new_context(stream=True, stream_options=METRICS_ASKED))
    *_, last = read_events(b"".join(stream.end(fold(Text("A")), METRICS, NOW)))
    assert last["type"] == "response.completed"
    assert last["metrics"]["total_tokens"] == 8


def test_the_clients_indented_json_stays_on_one_line() -> None:
    context = new_context(stream=True)
    native = context.call.request.native  # type: ignore[union-attr]
    native.fields["metadata"] = Raw(json.dumps({"a": "b"}, indent=1).encode())
    data = encode_all(DIALECT.stream(context), [STARTED])
    assert len(read_events(data)) == 2


def test_tools_that_items_add_are_called_by_their_names() -> None:
    tools = [{"type": "custom", "name": "patch"}]
    item = {"type": "additional_tools", "role": "developer", "tools": tools}
    bare = {"type": "additional_tools", "role": "developer"}
    frames: list[Event] = [ToolStarted(0, "c", "patch"), ToolArguments(0, '{"input":"x"}')]
    for given in ({"tools": tools}, {"input": [item, bare]}):
        *_, last = streamed(frames, **given)
        assert last["response"]["output"][0]["input"] == "x"


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamRateLimited("Slow down", code="tokens"), "rate_limit_exceeded"),
        (UpstreamQuota("Pay"), "insufficient_quota"),
        (UpstreamOverloaded("Busy"), "server_is_overloaded"),
        (UpstreamRejected("Long", code="context_length_exceeded"), "context_length_exceeded"),
        (UpstreamRejected("No"), "invalid_prompt"),
        (UpstreamTruncated("Cut"), "server_error"),
        (UpstreamTruncated("Cut", code="502"), "server_error"),
        (InternalError("Oh"), "server_error"),
    ],
)
def test_a_failure_is_an_error_and_the_end_of_the_response(error: HeadwayError, code: str) -> None:
    stream = DIALECT.stream(new_context(stream=True))
    data = encode_all(stream, [STARTED], [Text("A")])
    *before, first, last = read_events(data + b"".join(stream.fail(error)))
    assert [event["sequence_number"] for event in (*before, first, last)] == list(range(7))
    assert first["type"] == "error"
    assert (first["code"], first["message"]) == (code, error.message)
    assert first["error"]["type"] == error.type
    assert first["error"]["request_id"] == "a-1"
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": code, "message": error.message}
    assert last["response"]["status"] == "failed"
    assert last["response"]["id"] == before[0]["response"]["id"]
    assert [item["type"] for item in last["response"]["output"]] == ["message"]


def test_a_failure_before_everything_has_a_beginning() -> None:
    stream = DIALECT.stream(new_context(stream=True))
    events = read_events(b"".join(stream.fail(UpstreamTruncated("Cut"))))
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
    ]


# --- The same wire format -------------------------------------------------------------------------

CREATED = b'event: response.created\ndata: {"type":"response.created"}\n\n'
DELTA = b'event: response.output_text.delta\ndata: {"delta":"A"}\n\n'
COMPLETED = b'event: response.completed\ndata: {"type":"response.completed"}\n\n'


def frame(raw: bytes) -> Frame:
    return Frame(raw.partition(b"data: ")[2].strip(), None, raw)


def test_frames_pass_through_and_the_last_one_waits_for_the_record() -> None:
    stream = DIALECT.stream(new_context(stream=True, is_passthrough=True))
    assert stream.encode(frame(CREATED), [STARTED], NOW) == CREATED
    assert stream.encode(frame(DELTA), [Text("A")], NOW) == DELTA
    assert stream.encode(frame(DELTA), [Text("B")], NOW) == DELTA
    odd = b'data: {"type":"response.odd"}\r\n\r\n'
    assert stream.encode(frame(odd), [], NOW) == b'data: {"type":"response.odd"}\n\n'
    assert stream.encode(frame(COMPLETED), [Finished("stop"), StreamEnd()], NOW) is None
    assert stream.end(fold(Text("A")), METRICS, NOW) == [COMPLETED]
    assert stream.is_passthrough


def test_metrics_are_added_to_the_providers_last_event() -> None:
    asked = new_context(stream=True, stream_options=METRICS_ASKED, is_passthrough=True)
    stream = DIALECT.stream(asked)
    stream.encode(frame(CREATED), [STARTED], NOW)
    stream.encode(frame(COMPLETED), [StreamEnd()], NOW)
    [last] = stream.end(fold(Text("A")), METRICS, NOW)
    at = COMPLETED.rindex(b"}")
    assert last == COMPLETED[:at] + b',"metrics":' + ENCODED_METRICS + COMPLETED[at:]


def test_a_failure_ends_the_providers_own_response() -> None:
    stream = DIALECT.stream(new_context(stream=True, is_passthrough=True))
    stream.encode(frame(CREATED), [STARTED], NOW)
    stream.encode(frame(DELTA), [Text("A")], NOW)
    first, last = read_events(b"".join(stream.fail(UpstreamTruncated("Cut"))))
    assert (first["type"], first["sequence_number"]) == ("error", 2)
    assert (last["type"], last["response"]["id"]) == ("response.failed", "x")


def test_a_stream_goes_on_where_a_frame_cannot_be_passed_through() -> None:
    stream = DIALECT.stream(new_context(stream=True, is_passthrough=True))
    stream.encode(frame(CREATED), [STARTED], NOW)
    stream.encode(frame(DELTA), [Text("A")], NOW)
    stream.encode(frame(DELTA), [Text("A")], NOW)
    data = stream.encode(NO_FRAME, [Text("B")], NOW)
    assert data is not None
    assert not stream.is_passthrough
    rest = b"".join(stream.end(fold(STARTED, Text("AAB"), Finished("stop")), METRICS, NOW))
    events = read_events(data + rest)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events[0]["sequence_number"] == 3
    assert events[-1]["response"]["id"] == "x"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "AAB"


def test_a_whole_body_is_streamed_at_once() -> None:
    stream = DIALECT.stream(new_context(stream=True, is_passthrough=True))
    data = stream.encode(NO_FRAME, [STARTED, Text("A"), Finished("stop"), StreamEnd()], NOW)
    assert data is not None
    rest = b"".join(stream.end(fold(STARTED, Text("A"), Finished("stop")), METRICS, NOW))
    events = read_events(data + rest)
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
