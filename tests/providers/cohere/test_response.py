"""Cohere's responses, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.events import (
    Event,
    ExtraFields,
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
from headway.providers.cohere.provider import PROVIDER
from headway.types import Frame, Usage
from support.for_each import for_each

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"


def streamed(*payloads: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [
        Frame(payload if isinstance(payload, bytes) else json.dumps(payload).encode(), None, b"")
        for payload in payloads
    ]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def delta(kind: str, index: int | None = None, **message: Any) -> Any:
    return {"type": kind, "index": index or 0, "delta": {"message": message}}


def end(**fields: Any) -> Any:
    return {"type": "message-end", "delta": fields}


def cited(start: int, stop: int, index: int | None, url: Any, **more: Any) -> Any:
    place = {} if index is None else {"content_index": index}
    source = {"type": "document", "id": "d", "document": {"url": url, "title": "T"}}
    return {"start": start, "end": stop, "text": "x", "sources": [source], **place, **more}


def note(start: int, stop: int, url: str) -> Any:
    span = {"start_index": start, "end_index": stop}
    return {"type": "url_citation", "url_citation": {**span, "url": url, "title": "T"}}


WEB = "https://x"
STREAMS: list[tuple[str, list[Any], list[Event]]] = [
    ("end mark", [b"[DONE]"], [StreamEnd()]),
    ("empty data", [b""], []),
    ("unknown events", [{"type": "new", "delta": {}}, {"type": "debug"}], []),
    ("empty deltas", [
        delta("content-start", content={"type": "text", "text": ""}),
        delta("content-delta", content={"thinking": ""}), delta("tool-plan-delta", tool_plan=""),
        delta("tool-call-delta", tool_calls={"function": {"arguments": ""}}),
        delta("content-delta"), delta("tool-call-start"), delta("citation-start"),
        {"type": "tool-plan-delta", "delta": {}}, {"type": "content-delta", "delta": {}},
    ], []),
    ("two tool calls", [
        delta("tool-call-start", tool_calls={
            "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        delta("tool-call-delta", tool_calls={"function": {"arguments": "{}"}}),
        delta("tool-call-end"),
        delta("tool-call-start", 1, tool_calls={
            "id": "b", "type": "function", "function": {"name": "g", "arguments": "{"}}),
    ], [ToolStarted(0, "a", "f"), ToolArguments(0, "{}"), ToolStarted(1, "b", "g"),
        ToolArguments(1, "{")]),
    ("citation offsets count from the block", [
        delta("content-delta", 0, content={"text": "ab"}),
        delta("content-delta", 1, content={"text": "cd"}),
        delta("citation-start", citations=cited(0, 2, 1, WEB)),
        delta("citation-start", 1, citations=cited(0, 1, None, "file:x")),
        delta("citation-start", 2, citations=cited(0, 1, None, WEB, type="PLAN")),
    ], [Text("ab"), Text("cd"),
        ExtraFields({"citations": [cited(0, 2, 1, WEB)], "annotations": [note(2, 4, WEB)]}),
        ExtraFields({"citations": [cited(0, 1, None, "file:x")]}),
        ExtraFields({"citations": [cited(0, 1, None, WEB, type="PLAN")]})]),
    ("logprobs", [
        {**delta("content-delta", content={"text": "ab"}),
         "logprobs": {"text": "ab", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}}],
     [Text("ab"), Logprobs({"content": [
         {"token": "ab", "logprob": -0.75, "top_logprobs": [], "bytes": [97, 98]}]})]),
    ("finish TOOL_CALL", [end(finish_reason="TOOL_CALL")], [Finished("tool_calls")]),
    ("finish STOP_SEQUENCE", [end(finish_reason="STOP_SEQUENCE", usage=None)], [Finished("stop")]),
    ("unknown finish reason", [end(finish_reason="BORED")], [Finished("stop")]),
    ("no finish reason", [end(finish_reason=None)], [Finished(None)]),
]  # fmt: skip


@for_each(("payloads", "expected"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])
def test_a_stream_event_is_decoded(payloads: list[Any], expected: list[Event]) -> None:
    assert streamed(*payloads) == expected


FAILURES: list[tuple[Any, type[Exception], str]] = [
    (end(finish_reason="ERROR"), errors.UpstreamError, "Cohere broke off its answer (ERROR)."),
    (end(finish_reason="ERROR", error="no luck"), errors.UpstreamError, "no luck"),
    (
        end(finish_reason="TIMEOUT"),
        errors.UpstreamTimeout,
        "Cohere broke off its answer (TIMEOUT).",
    ),
    ({"id": "1", "message": "too bad"}, errors.UpstreamError, "too bad"),
]


@pytest.mark.parametrize(("payload", "cls", "message"), FAILURES)
def test_an_error_in_a_stream_is_failed(payload: Any, cls: type[Exception], message: str) -> None:
    (event,) = streamed(payload)
    assert isinstance(event, Failed)
    assert (type(event.error), str(event.error)) == (cls, message)


def test_a_whole_response_has_the_events_of_its_stream() -> None:
    body = {
        "id": "1",
        "message": {
            "tool_plan": "plan",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "ab"},
                {"type": "text", "text": ""},
                {"type": "text", "text": "cd"},
            ],
            "citations": [cited(0, 1, 3, WEB)],
        },
        "logprobs": [{"text": "ab", "logprobs": [-1.0]}, {"text": "c"}],
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {"input_tokens": 5.0, "output_tokens": 3.0}},
    }
    shown = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    assert PROVIDER.decode_response(json.dumps(body).encode()) == [
        Started("1"),
        Reasoning("plan"),
        Reasoning("hm"),
        Text("ab"),
        Text("cd"),
        ExtraFields({"citations": [cited(0, 1, 3, WEB)], "annotations": [note(2, 3, WEB)]}),
        Logprobs(
            {"content": [{"token": "ab", "logprob": -1.0, "top_logprobs": [], "bytes": [97, 98]}]}
        ),
        Finished("stop"),
        UsageReported(Usage(input_tokens=5, output_tokens=3), {**shown, **body["usage"]}),  # type: ignore[dict-item]
        StreamEnd(),
    ]


def test_a_stream_starts_with_its_id_and_ends_with_the_billed_usage() -> None:
    usage = {
        "billed_units": {"input_tokens": 4, "output_tokens": 9},
        "tokens": {"input_tokens": 500, "output_tokens": 20, "reasoning_tokens": 7},
        "cached_tokens": 480,
    }
    begun, _, seen = streamed(
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        end(finish_reason="MAX_TOKENS", usage=usage),
    )
    assert begun == Started("1")
    shown = {"prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}
    shown["completion_tokens_details"] = {"reasoning_tokens": 7}  # type: ignore[assignment]
    counted = Usage(input_tokens=4, output_tokens=9, reasoning_tokens=7)
    assert seen == UsageReported(counted, {**shown, **usage})


def test_missing_counts_are_none() -> None:
    seen = streamed(end(finish_reason="COMPLETE", usage={}))[1]
    assert isinstance(seen, UsageReported)
    assert seen.usage == Usage()
    assert seen.openai_usage["total_tokens"] is None


def test_an_error_in_a_body_of_status_200_is_failed() -> None:
    (event,) = PROVIDER.decode_response(b'{"id":"1","message":"overloaded"}')
    assert isinstance(event, Failed)
    assert str(event.error) == "overloaded"
