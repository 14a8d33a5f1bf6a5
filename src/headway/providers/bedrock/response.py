"""Decode responses of Bedrock's Converse, streamed and whole
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html), and those
of invoke, which envelop the model's own format.

Wire facts, from recordings: a block of text has no start, only deltas and a stop; the reason comes
in ``messageStop`` and the usage after it, in ``metadata``, which a guardrail may leave empty; a
citation comes before the text of its block; ``p`` is padding. A whole response has the same blocks,
each with all its content.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    ModelReported,
    ServiceTierReported,
    Started,
    StreamEnd,
)
from headway.providers.anthropic import response as anthropic_response
from headway.providers.base import State
from headway.providers.bedrock.content_blocks import (
    BlockDelta,
    DecoderState,
    WireBlock,
    close_block,
    fill_block,
    open_block,
)
from headway.providers.bedrock.errors import error_from
from headway.providers.bedrock.usage import WireUsage, usage_reported
from headway.types import NO_RAW, Frame
from headway.wire.aws_event_stream import EventStreamMessage
from headway.wire.json_repair import repair_json
from headway.wire.lenient_json import Position, lenient_decoder

END: list[Event] = [StreamEnd()]
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""``stopReason`` to OpenAI's ``finish_reason`` (API_runtime_ConverseResponse.html)."""
FAILURES = frozenset({"malformed_model_output", "malformed_tool_use"})
"""Reasons without usable output: the model's output was invalid."""


class ServiceTier(Struct):
    type: str | None = None


class PerformanceConfig(Struct):
    latency: str | None = None


class StreamEvent(Struct, rename="camel"):
    """Every type of event; each has some of these fields."""

    content_block_index: Position | None = None
    """None: the block that was opened last."""
    start: Raw = NO_RAW
    """The block that begins."""
    delta: BlockDelta | None = None
    stop_reason: str | None = None
    additional_model_response_fields: Any = None
    usage: WireUsage | None = None
    trace: Any = None
    service_tier: ServiceTier | None = None
    performance_config: PerformanceConfig | None = None


class WireMessage(Struct):
    content: list[Raw] = []


class Output(Struct):
    message: WireMessage | None = None


class WireResponse(Struct, rename="camel"):
    """A whole response; without ``output`` it is an error with status 200."""

    type: str | None = None
    """Present in Anthropic's format only, which invoke returns, as is ``content``."""
    content: list[Raw] | None = None
    output: Output | None = None
    stop_reason: str | None = None
    additional_model_response_fields: Any = None
    usage: WireUsage | None = None
    trace: Any = None
    service_tier: ServiceTier | None = None
    performance_config: PerformanceConfig | None = None


class Chunk(Struct):
    """The envelope of an event of invoke's stream, in base64."""

    bytes: str = ""


_decode_stream_event = lenient_decoder(StreamEvent)
_decode_whole = lenient_decoder(WireResponse)
_decode_chunk = lenient_decoder(Chunk)
_decode_block = lenient_decoder(WireBlock)
_encode = msgspec.json.Encoder().encode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one message of either API's stream; none for an unknown type."""
    if isinstance(frame, EventStreamMessage) and frame.is_failure:
        return [Failed(error_from(frame.event, frame.data, None))]
    if frame.event == "chunk":
        data = b64decode(_decode_chunk(frame.data).bytes)
        return anthropic_response.decode_event(Frame(data, None, frame.raw), state)
    handler = EVENT_HANDLERS.get(frame.event or "")
    if handler is None:
        return []
    decoder: DecoderState = state.get("converse") or state.setdefault("converse", DecoderState())
    return handler(_decode_stream_event(frame.data), decoder)


def repair_event(data: bytes) -> bytes | None:
    """``json_repair.repair_json`` for the data of a message, which may be invoke's envelope of what
    is to be repaired."""
    outer = repair_json(data)
    if b'"bytes"' not in data:
        return outer
    try:
        inner = repair_json(b64decode(_decode_chunk(outer or data).bytes))
    except ValueError:
        return outer
    return outer if inner is None else _encode(Chunk(b64encode(inner).decode()))


def decode_response(body: bytes) -> list[Event]:
    """The events of a whole response of either API."""
    whole = _decode_whole(body)
    if whole.output is None and (whole.type is not None or whole.content is not None):
        return anthropic_response.decode_response(body)
    if whole.output is None or whole.output.message is None:
        return [Failed(error_from(None, body, None))]
    state = DecoderState()
    tier = whole.service_tier or ServiceTier()
    events: list[Event] = [Started(model=_routed_model(whole.trace), service_tier=tier.type)]
    for index, raw in enumerate(whole.output.message.content):
        events += _open(index, raw, state)
        events += close_block(index, state)
    fields = whole.additional_model_response_fields
    events += _finished(whole.stop_reason, fields, whole.trace, state)
    events += _usage(whole.usage, whole.performance_config)
    return [*events, *_failure(whole.stop_reason), *END]


def _finished(
    reason: str | None, additional_fields: Any, trace: Any, state: DecoderState
) -> list[Event]:
    if reason in FAILURES:
        return []
    return anthropic_response.finish_events(
        reason,
        FINISH_REASONS.get(reason, "stop") if reason else None,
        has_calls=state.calls.count > 0,
        additional_model_response_fields=additional_fields,
        trace=trace,
    )


def _usage(wire: WireUsage | None, performance: PerformanceConfig | None) -> list[Event]:
    if wire is None:
        return []
    return [usage_reported(wire, None if performance is None else performance.latency)]


def _routed_model(trace: Any) -> str | None:
    """The model that a prompt router chose."""
    router = trace.get("promptRouter") if isinstance(trace, dict) else None
    model = router.get("invokedModelId") if isinstance(router, dict) else None
    return model if isinstance(model, str) else None


def _failure(reason: str | None) -> list[Event]:
    """Comes after the usage, so that the record of the failure has it."""
    if reason not in FAILURES:
        return []
    message = f"The model stopped without a valid answer: {reason}."
    return [Failed(UpstreamError(message, code=reason))]


# --- Events of a stream ---------------------------------------------------------------------------


def _on_message_start(event: StreamEvent, state: DecoderState) -> list[Event]:
    return [Started()]


def _on_block_start(event: StreamEvent, state: DecoderState) -> list[Event]:
    index = event.content_block_index
    return _open(state.next_index if index is None else index, event.start, state)


def _open(index: int, raw: Raw, state: DecoderState) -> list[Event]:
    """No events where ``raw`` is no object."""
    is_object = bytes(raw)[:1] == b"{"
    return open_block(index, _decode_block(raw), raw, state) if is_object else []


def _on_block_delta(event: StreamEvent, state: DecoderState) -> list[Event]:
    return [] if event.delta is None else fill_block(_index(event, state), event.delta, state)


def _on_block_stop(event: StreamEvent, state: DecoderState) -> list[Event]:
    return close_block(_index(event, state), state)


def _index(event: StreamEvent, state: DecoderState) -> int:
    index = event.content_block_index
    return max(state.next_index - 1, 0) if index is None else index


def _on_message_stop(event: StreamEvent, state: DecoderState) -> list[Event]:
    state.stop_reason = event.stop_reason
    events: list[Event] = []
    state.calls.close(events)
    fields = event.additional_model_response_fields
    return events + _finished(event.stop_reason, fields, None, state)


def _on_metadata(event: StreamEvent, state: DecoderState) -> list[Event]:
    """The last event: the stream has no other mark of its end."""
    trace: list[Event] = [ExtraFields({"trace": event.trace})] if event.trace else []
    tier = (event.service_tier or ServiceTier()).type
    facts: list[Event] = [ServiceTierReported(tier)] if tier else []
    if model := _routed_model(event.trace):
        facts.append(ModelReported(model))
    usage = _usage(event.usage, event.performance_config)
    return [*trace, *facts, *usage, *_failure(state.stop_reason), *END]


EVENT_HANDLERS: dict[str, Callable[[StreamEvent, DecoderState], list[Event]]] = {
    "messageStart": _on_message_start,
    "contentBlockStart": _on_block_start,
    "contentBlockDelta": _on_block_delta,
    "contentBlockStop": _on_block_stop,
    "messageStop": _on_message_stop,
    "metadata": _on_metadata,
}
