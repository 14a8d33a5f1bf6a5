"""Answers of Bedrock's Converse, streamed and whole
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html), and the
envelope around those of invoke, whose content is in the model's own format.

Wire facts, read off recordings: a block of text is not opened, only filled and closed; the reason
comes in ``messageStop`` and the usage after it, in ``metadata``, which a guardrail may leave empty;
a citation comes before the text of its block; ``p`` is padding. What was cached is counted beside
the input. A whole answer is the same blocks, each opened full.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.anthropic import response as anthropic_answers
from headway.providers.base import State
from headway.providers.bedrock.content_blocks import (
    Delta,
    Reading,
    WireBlock,
    close,
    fill,
    open_block,
)
from headway.providers.bedrock.errors import error_from
from headway.types import (
    NO_RAW,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Started,
    StreamEnd,
    Usage,
    UsageReported,
)
from headway.wire.eventstream import Message

DONE: list[Event] = [StreamEnd()]
FINISHED = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "malformed_model_output": "stop",
    "malformed_tool_use": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""Why it stopped, in OpenAI's words (API_runtime_ConverseResponse.html)."""
PLAIN = ("end_turn", "tool_use", "max_tokens")
"""Reasons that OpenAI's word says whole; the others are also given in Bedrock's."""


class CacheDetail(Struct, rename="camel"):
    ttl: str | None = None
    input_tokens: int = 0


class WireUsage(Struct, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    cache_details: list[CacheDetail] | None = None


class Tier(Struct):
    type: str | None = None


class StreamEvent(Struct, rename="camel"):
    """All kinds of event; each has some of these."""

    content_block_index: int = 0
    start: Raw = NO_RAW
    """What a block opens with."""
    delta: Delta | None = None
    stop_reason: str | None = None
    additional_model_response_fields: Any = None
    usage: WireUsage | None = None
    trace: Any = None


class Content(Struct):
    content: list[Raw] = []


class Output(Struct):
    message: Content | None = None


class Whole(Struct, rename="camel"):
    """A whole answer, or, where it has no output, what was answered in its place."""

    type: str | None = None
    """Anthropic's: the answer of an invoke."""
    output: Output | None = None
    stop_reason: str | None = None
    additional_model_response_fields: Any = None
    usage: WireUsage | None = None
    trace: Any = None
    service_tier: Tier | None = None


class Chunk(Struct):
    """The envelope of invoke's stream."""

    bytes: str = ""


_event = msgspec.json.Decoder(StreamEvent).decode
_whole = msgspec.json.Decoder(Whole).decode
_chunk = msgspec.json.Decoder(Chunk).decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One message of either API's stream."""
    if isinstance(frame, Message) and frame.is_failure:
        return [Failed(error_from(frame.event, frame.data, None))]
    if frame.event == "chunk":
        data = b64decode(_chunk(frame.data).bytes)
        return anthropic_answers.decode_event(Frame(data, None, frame.raw), state)
    read = EVENTS.get(frame.event or "")
    if read is None:
        return []
    reading = state.get("converse") or state.setdefault("converse", Reading())
    return read(_event(frame.data), reading)


def decode_response(body: bytes) -> list[Event]:
    """A whole answer of either API, as the stream that it might have been."""
    whole = _whole(body)
    if whole.type is not None:
        return anthropic_answers.decode_response(body)
    if whole.output is None or whole.output.message is None:
        return [Failed(error_from(None, body, None))]
    reading = Reading()
    tier = whole.service_tier or Tier()
    events: list[Event] = [Started(service_tier=tier.type)]
    for index, raw in enumerate(whole.output.message.content):
        events += open_block(index, msgspec.json.decode(raw, type=WireBlock), raw, reading)
        events += close(index, reading)
    events += _ended(
        whole.stop_reason or "end_turn", whole.additional_model_response_fields, whole.trace
    )
    return [*events, *_counted(whole.usage), *DONE]


# --- Events of a stream ---------------------------------------------------------------------------


def _on_start(event: StreamEvent, reading: Reading) -> list[Event]:
    return [Started()]


def _on_open(event: StreamEvent, reading: Reading) -> list[Event]:
    block = msgspec.json.decode(event.start, type=WireBlock)
    return open_block(event.content_block_index, block, event.start, reading)


def _on_delta(event: StreamEvent, reading: Reading) -> list[Event]:
    return [] if event.delta is None else fill(event.content_block_index, event.delta, reading)


def _on_close(event: StreamEvent, reading: Reading) -> list[Event]:
    return close(event.content_block_index, reading)


def _on_stop(event: StreamEvent, reading: Reading) -> list[Event]:
    return _ended(event.stop_reason or "end_turn", event.additional_model_response_fields, None)


def _on_metadata(event: StreamEvent, reading: Reading) -> list[Event]:
    """The end: there is no other mark of it."""
    told: list[Event] = [ExtraFields({"trace": event.trace})] if event.trace else []
    return [*told, *_counted(event.usage), *DONE]


EVENTS: dict[str, Callable[[StreamEvent, Reading], list[Event]]] = {
    "messageStart": _on_start,
    "contentBlockStart": _on_open,
    "contentBlockDelta": _on_delta,
    "contentBlockStop": _on_close,
    "messageStop": _on_stop,
    "metadata": _on_metadata,
}


def _ended(reason: str, more: Any, trace: Any) -> list[Event]:
    fields = {
        "native_finish_reason": None if reason in PLAIN else reason,
        "additional_model_response_fields": more,
        "trace": trace,
    }
    told = {name: value for name, value in fields.items() if value is not None}
    events: list[Event] = [ExtraFields(told)] if told else []
    events.append(Finished(FINISHED.get(reason, "stop")))
    return events


# --- Usage ----------------------------------------------------------------------------------------


def _counted(wire: WireUsage | None) -> list[Event]:
    if wire is None:
        return []
    usage = Usage(
        input_tokens=_input(wire),
        output_tokens=wire.output_tokens,
        cache_read_tokens=wire.cache_read_input_tokens,
        cache_write_tokens=wire.cache_write_input_tokens,
        cache_write_1h_tokens=_written_for_an_hour(wire),
    )
    return [UsageReported(usage, _shown(usage))]


def _input(wire: WireUsage) -> int | None:
    """The prompt: what was not cached, and what was read from a cache or written to one."""
    if wire.input_tokens is None:
        return None
    cached = (wire.cache_read_input_tokens or 0) + (wire.cache_write_input_tokens or 0)
    return wire.input_tokens + cached


def _written_for_an_hour(wire: WireUsage) -> int | None:
    if wire.cache_details is None:
        return None
    return sum(detail.input_tokens for detail in wire.cache_details if detail.ttl == "1h")


def _shown(usage: Usage) -> dict[str, Any]:
    """In OpenAI's shape; ``cache_write_tokens`` is OpenRouter's name for what it lacks."""
    prompt, completion = usage.input_tokens, usage.output_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if prompt is None or completion is None else prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
    }
