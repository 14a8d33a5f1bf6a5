"""Decode responses in Anthropic's Messages format, streamed and whole
(platform.claude.com/docs/en/build-with-claude/streaming), from any platform that serves it.

Wire facts, from recordings: a response is a list of content blocks, each opened, filled and closed;
counts are cumulative, those of the input come first and may be repeated at the end; ``ping`` may
come anywhere; tool arguments may be one empty fragment, which means {}; thinking may have an empty
text and still a signature. A whole response has the same blocks, each opened with all its content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    ServiceTierReported,
    Started,
    StreamEnd,
    UsageReported,
)
from headway.providers.anthropic.content_blocks import (
    BlockDelta,
    DecoderState,
    close_block,
    fill_block,
    open_block,
)
from headway.providers.anthropic.errors import error_from
from headway.providers.anthropic.usage import (
    WireUsage,
    canonical_usage,
    usage_reported,
)
from headway.providers.base import State
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Position, Words, lenient_decoder
from headway.wire.merge import merge_known

END: list[Event] = [StreamEnd()]
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""``stop_reason`` to OpenAI's ``finish_reason`` (build-with-claude/handling-stop-reasons)."""
STOPS_BEFORE_CALLS = ("pause_turn", "stop_sequence")
"""Reasons that are not the calls of the same response."""
EXACT_REASONS = ("end_turn", "tool_use", "max_tokens")
"""Reasons with an exact equivalent. The others are also reported unchanged."""
SERVICE_TIERS = {"standard": "default"}


class WireMessage(Struct):
    """A whole message, or what a stream starts with."""

    id: str | None = None
    model: str | None = None
    content: list[Raw] | None = None
    usage: WireUsage | None = None
    type: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    container: Any = None


class WireDelta(BlockDelta):
    """The delta of a block, or of the message, which has the stop reason."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    container: Any = None


class StreamEvent(Struct):
    """Every type of event; each has some of these fields."""

    type: Words = ""
    index: Position | None = None
    """None: the block that was opened last."""
    message: WireMessage | None = None
    content_block: Raw = NO_RAW
    delta: WireDelta | None = None
    usage: WireUsage | None = None


_decode_stream_event = lenient_decoder(StreamEvent)
_decode_message = lenient_decoder(WireMessage)
_decode_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one frame of the stream; none for an unknown type."""
    if not frame.data:
        return []
    if frame.data == b"[DONE]":  # servers that copy the wire format send it
        return END
    event = _decode_stream_event(frame.data)
    decoder: DecoderState = state.get("anthropic") or state.setdefault("anthropic", DecoderState())
    kind = event.type or frame.event or ""
    if kind == "error":
        return [Failed(error_from(_decode_any(frame.data), None))]
    handler = EVENT_HANDLERS.get(kind) or EVENT_HANDLERS.get(frame.event or "")
    return [] if handler is None else handler(event, decoder)


def decode_response(body: bytes) -> list[Event]:
    """The events of a whole message. Raises ValueError where it has no content."""
    message = _decode_message(body)
    if message.type == "error":
        return [Failed(error_from(_decode_any(body), None))]
    if message.content is None:
        raise ValueError("the answer has no content")
    state = DecoderState()
    state.calls.seed = message.id or ""
    usage = message.usage or WireUsage()
    events: list[Event] = [_started(message, usage)]
    for index, raw in enumerate(message.content):
        events += open_block(index, raw, state)
        events += close_block(index, state)
    events += _finished(message, message.stop_reason or None, state)
    if message.usage is not None:
        events.append(usage_reported(usage))
    return [*events, *END]


def _started(message: WireMessage, usage: WireUsage) -> Started:
    return Started(message.id, message.model, service_tier=_service_tier(usage))


def _service_tier(usage: WireUsage) -> str | None:
    return SERVICE_TIERS.get(usage.service_tier or "", usage.service_tier)


def _finished(
    stop: WireMessage | WireDelta, reason: str | None, state: DecoderState
) -> list[Event]:
    return finish_events(
        reason,
        None if reason is None else FINISH_REASONS.get(reason, "stop"),
        has_calls=state.calls.count > 0,
        stop_sequence=stop.stop_sequence,
        stop_details=stop.stop_details,
        container=stop.container,
    )


def finish_events(
    native_reason: str | None, reason: str | None, *, has_calls: bool, **fields: Any
) -> list[Event]:
    """The end of a choice, after those of the further ``fields`` that are known. One that ends with
    tool calls ends for them, whatever word a server has for it."""
    if reason == "stop" and has_calls and native_reason not in STOPS_BEFORE_CALLS:
        reason = "tool_calls"
    native = None if native_reason in EXACT_REASONS else native_reason
    found = {"native_finish_reason": native, **fields}
    given = {name: value for name, value in found.items() if value is not None}
    return [*([ExtraFields(given)] if given else []), Finished(reason)]


# --- Events of a stream ---------------------------------------------------------------------------


def _on_message_start(event: StreamEvent, state: DecoderState) -> list[Event]:
    """The counts of the input are final here. That of the output covers a token or two: it is left
    out, because it would be taken for the total if the stream broke off."""
    message = event.message or WireMessage()
    state.calls.seed = message.id or ""
    usage = state.usage = message.usage or WireUsage()
    return [_started(message, usage), UsageReported(canonical_usage(usage, None))]


def _on_block_start(event: StreamEvent, state: DecoderState) -> list[Event]:
    index = state.next_index if event.index is None else event.index
    return open_block(index, event.content_block, state)


def _on_block_delta(event: StreamEvent, state: DecoderState) -> list[Event]:
    if event.delta is None:
        return []
    return fill_block(_index(event, state), event.delta, state)


def _on_block_stop(event: StreamEvent, state: DecoderState) -> list[Event]:
    return close_block(_index(event, state), state)


def _on_message_delta(event: StreamEvent, state: DecoderState) -> list[Event]:
    events: list[Event] = []
    if event.delta is not None and event.delta.stop_reason:
        state.calls.close(events)
        events += _finished(event.delta, event.delta.stop_reason, state)
    if event.usage is not None:
        tier = _service_tier(event.usage)
        events += [ServiceTierReported(tier)] if tier else []
        state.usage = merge_known(state.usage, event.usage)
        events.append(usage_reported(state.usage))
    return events


def _on_message_stop(event: StreamEvent, state: DecoderState) -> list[Event]:
    events: list[Event] = []
    state.calls.close(events)
    return [*events, *END]


def _index(event: StreamEvent, state: DecoderState) -> int:
    return max(state.next_index - 1, 0) if event.index is None else event.index


EVENT_HANDLERS: dict[str, Callable[[StreamEvent, DecoderState], list[Event]]] = {
    "message_start": _on_message_start,
    "content_block_start": _on_block_start,
    "content_block_delta": _on_block_delta,
    "content_block_stop": _on_block_stop,
    "message_delta": _on_message_delta,
    "message_stop": _on_message_stop,
}
