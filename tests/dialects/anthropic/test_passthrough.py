"""Streams of a provider of Anthropic's format, passed through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.events import (
    Event,
    Finished,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, Usage
from support.dialect_samples import METRICS, NO_FRAME, context, fold
from support.messages_streams import events_of

DIALECT = AnthropicMessages()
USAGE = UsageReported(Usage(input_tokens=11, cache_read_tokens=3, output_tokens=7))

RAW: dict[str, bytes] = {
    "message_start": b'{"type":"message_start","message":{"id":"msg_1"}  }',
    "ping": b'{"type": "ping"}',
    "content_block_start": (
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text"}}'
    ),
    "content_block_delta": b'{"type":"content_block_delta","index":0,"delta":{"text":"Hi"}    }',
    "content_block_stop": b'{"type":"content_block_stop","index":0 }',
    "message_delta": b'{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
    "message_stop": b'{"type":"message_stop"     }',
}
EVENTS: dict[str, list[Event]] = {
    "message_start": [Started("msg_1"), USAGE],
    "content_block_delta": [Text("Hi")],
    "message_delta": [Finished("stop"), ServiceTierReported("default"), USAGE],
    "message_stop": [StreamEnd()],
}


def frame(name: str, **more: Any) -> Frame:
    data = RAW[name]
    return Frame(data, name, b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")


def relay(*names: str, tail: list[Frame] | None = None, **more: Any) -> bytes:
    encoder = DIALECT.stream(context(is_passthrough=True, **more))
    answer = ResponseAccumulator()
    pieces = []
    for name in names:
        events = EVENTS.get(name, [])
        answer.add(events)
        pieces.append(encoder.encode(frame(name), events, 0.0) or b"")
    assert encoder.is_passthrough
    return b"".join([*pieces, *encoder.end(answer, METRICS, 0.0)])


def test_a_stream_of_the_same_format_is_passed_through() -> None:
    assert relay(*RAW) == b"".join(frame(name).raw for name in RAW)


def test_metrics_come_before_the_last_event() -> None:
    data = relay(*RAW, shows_metrics=True)
    assert data.startswith(b"".join(frame(name).raw for name in list(RAW)[:-1]) + b"event: ping\n")
    assert data.endswith(frame("message_stop").raw)


def test_an_end_that_the_provider_left_out_is_supplied() -> None:
    data = relay(*list(RAW)[:4])
    names = [name for name, _ in events_of(data)]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert relay(*list(RAW)[:-1]).endswith(b'data: {"type":"message_stop"}\n\n')
    assert [name for name, _ in events_of(relay())] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]


def test_frames_without_names_or_ends_get_them() -> None:
    encoder = DIALECT.stream(context(is_passthrough=True))
    ping = RAW["ping"]
    unnamed = Frame(ping, None, b"data: " + ping + b"\n\n")
    assert encoder.encode(unnamed, [], 0.0) == b"event: ping\ndata: " + ping + b"\n\n"
    cut = frame("content_block_delta")
    assert encoder.encode(Frame(cut.data, cut.event, cut.raw[:-2]), [Text("Hi")], 0.0) == cut.raw
    done = Frame(b"[DONE]", None, b"data: [DONE]\n\n")
    assert encoder.encode(done, [StreamEnd()], 0.0) is None
    assert encoder.encode(Frame(b"", None, b": comment\n\n"), [], 0.0) is None
    assert encoder.end(fold(Finished("stop")), METRICS, 0.0)[-1].startswith(b"event: message_stop")


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"content_block_delta","index":0,"more":"\xff"}',
        b'{"type":"content_block_delta","index":0,"delta":-1}',
        b'{"type":"content_block_stop","index":null}',
        b'{"type":"content_block_start","index":0,"content_block":[]}',
    ],
    ids=range(4),
)
def test_an_event_that_clients_cannot_read_is_translated(data: bytes) -> None:
    encoder = DIALECT.stream(context(is_passthrough=True))
    encoder.encode(frame("message_start"), EVENTS["message_start"], 0.0)
    named = Frame(data, json.loads(data.replace(b"\xff", b""))["type"], b"event: x\n")
    assert encoder.encode(named, [], 0.0) is None
    assert not encoder.is_passthrough
    assert b"text_delta" in (encoder.encode(NO_FRAME, [Text("a")], 0.0) or b"")


def test_an_unnamed_delta_is_noted_and_named() -> None:
    encoder = DIALECT.stream(context(is_passthrough=True))
    data = RAW["content_block_delta"]
    found = encoder.encode(Frame(data, None, b"data: " + data + b"\n\n"), [Text("Hi")], 0.0)
    assert found == frame("content_block_delta").raw


@pytest.mark.parametrize("kind", ["text", "tool_use", "thinking"])
@pytest.mark.parametrize("is_closed", [False, True])
def test_a_translation_follows_on_what_was_passed_through(kind: str, is_closed: bool) -> None:
    encoder = DIALECT.stream(context(is_passthrough=True))
    block = {"type": kind, "id": "t1", "name": "f"}
    data = json.dumps({"type": "content_block_start", "index": 4, "content_block": block}).encode()
    started: list[Event] = [ToolStarted(0, "t1", "f")] if kind == "tool_use" else []
    encoder.encode(Frame(data, "content_block_start", b"data: x\n\n"), started, 0.0)
    if is_closed:
        stop = frame("content_block_stop")
        encoder.encode(stop, [], 0.0)
    assert encoder.encode(NO_FRAME, [], 0.0) is None
    assert not encoder.is_passthrough
    events: list[Event] = [Text("a")]
    events += [ToolArguments(0, "{}")] if kind == "tool_use" else []
    found = events_of(encoder.encode(NO_FRAME, events, 0.0) or b"")
    deltas = [event for name, event in found if name == "content_block_delta"]
    text = next(event for event in deltas if event["delta"]["type"] == "text_delta")
    assert text["index"] == (4 if kind == "text" and not is_closed else 5)
