"""A response as Anthropic's stream of events
(platform.claude.com/docs/en/build-with-claude/streaming).

``message_start``; for each block ``content_block_start``, deltas, and ``content_block_stop``;
``message_delta`` with the stop reason and the usage; ``message_stop``. A ``ping`` follows the start
of the first block, as Anthropic sends it. The frames of a provider of the same format are passed
through, but for its last event: that is sent once the record is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.anthropic.errors import encode_error
from headway.dialects.anthropic.passthrough import Passthrough
from headway.dialects.anthropic.response_blocks import citations_of, own_citations, stop_fields
from headway.dialects.anthropic.stream_blocks import StreamBlocks, write_event
from headway.dialects.anthropic.tool_names import original_name
from headway.dialects.anthropic.usage import end_usage, final_usage, message_id, start_usage
from headway.dialects.base import SSE, ResponseContext, without_line_breaks
from headway.errors import HeadwayError
from headway.events import (
    Event,
    ExtraFields,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, Usage

END = write_event("message_stop", b'{"type":"message_stop"}')

_encode = msgspec.json.Encoder().encode


class AnthropicStream:
    """Encodes one stream. Anthropic's format has one choice: the first."""

    __slots__ = (
        "_blocks", "_context", "_is_started", "_passthrough", "content_type", "is_framed",
        "is_passthrough",
    )  # fmt: skip

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._blocks = StreamBlocks()
        self._is_started = False
        self.is_passthrough = context.is_passthrough
        self._passthrough = Passthrough(self._blocks)
        self.content_type = SSE
        self.is_framed = True

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            if frame.raw:
                with suppress(msgspec.DecodeError):
                    return self._passthrough.relay(frame, events)
            self._is_started, self.is_passthrough = self._passthrough.is_started, False
        return self._translate(events) or None

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        passthrough, pieces = self._passthrough, []
        if not passthrough.has_stop:
            pieces = [self._last_events(response, metrics)]
        if self._context.call.shows_metrics:
            # Clients ignore what else a ping says.
            pieces.append(_event("ping", metrics=metrics))
        return [*pieces, passthrough.end or END]

    def fail(self, error: HeadwayError) -> list[bytes]:
        return [write_event("error", encode_error(error, self._context.request_id))]

    # --- Translation ------------------------------------------------------------------------------

    def _translate(self, events: list[Event]) -> bytes:
        if len(events) == 1 and self._is_started:  # nearly all of a stream
            event = events[0]
            if type(event) is Text and event.index == 0:
                return self._blocks.add_text(event.text)
        encoded = self._start(events) if events and not self._is_started else b""
        for event in _with_signatures_first(events):
            encode = ENCODERS.get(type(event))
            if type(event) is ToolStarted:
                event = replace(event, name=original_name(event.name, self._context))
            if encode is not None and event.index == 0:  # type: ignore[union-attr]
                encoded += encode(self._blocks, event)
        return encoded

    def _start(self, events: list[Event]) -> bytes:
        self._is_started = True
        started, usage = Started(), Usage()
        for event in events:
            if type(event) is Started:
                started = event
            elif type(event) is UsageReported:
                usage = event.usage
        context = self._context
        message: dict[str, Any] = {
            "id": message_id(context.id),
            "type": "message",
            "role": "assistant",
            "model": started.model or context.sent.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": start_usage(usage, started.service_tier),
        }
        return _event("message_start", message=message)

    def _last_events(self, response: ResponseAccumulator, metrics: Struct) -> bytes:
        is_started = self._is_started or self._passthrough.is_started
        start = b"" if is_started else self._start([])
        choice = response.choices.get(0)
        citations = b""
        if choice is not None and not self._blocks.has_citations:
            found = citations_of(choice.extra, choice.joined_text())
            citations = b"".join(map(self._blocks.add_citation, found))
        usage = end_usage(final_usage(response, metrics))
        delta = _event("message_delta", delta=stop_fields(choice), usage=usage)
        return start + citations + self._blocks.close_all() + delta


def _with_signatures_first(events: list[Event]) -> list[Event]:
    """The events of a frame, with the signature of a call before the call: clients drop thinking
    that ends a message."""
    signed = {each.value.get("id"): each for each in events if type(each) is ReasoningDetail}
    if not signed or len(events) == 1:
        return events
    calls = {each.id for each in events if type(each) is ToolStarted}
    moved = {call_id: detail for call_id, detail in signed.items() if call_id in calls}
    ordered: list[Event] = []
    for event in events:
        if type(event) is ToolStarted and event.id in moved:
            ordered.append(moved[event.id])
        if event not in moved.values():
            ordered.append(event)
    return ordered


def _extra(blocks: StreamBlocks, event: ExtraFields) -> bytes:
    found = event.fields.get("content_blocks") or ()
    whole = [blocks.add_block({k: v for k, v in each.items() if k != "index"}) for each in found]
    return b"".join(whole) + blocks.end_text(own_citations(event.fields))


def _event(kind: str, **fields: Any) -> bytes:
    return write_event(kind, without_line_breaks(_encode({"type": kind, **fields})))


ENCODERS: dict[type, Callable[[StreamBlocks, Any], bytes]] = {
    Text: lambda blocks, event: blocks.add_text(event.text),
    Refusal: lambda blocks, event: blocks.add_text(event.text),
    Reasoning: lambda blocks, event: blocks.add_thinking(event.text),
    ReasoningDetail: lambda blocks, event: blocks.add_detail(event.value),
    ToolStarted: StreamBlocks.start_tool,
    ToolArguments: StreamBlocks.add_arguments,
    ExtraFields: _extra,
}
