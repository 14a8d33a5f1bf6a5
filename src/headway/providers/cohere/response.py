"""Cohere's v2 chat responses, whole and streamed (docs.cohere.com/docs/streaming).

Wire facts, read off recordings: an event has its name twice, in the SSE field and in ``type``;
thinking is a content block before the text's; a tool plan comes before its call, and the call's
arguments in fragments; a citation comes whole, with positions counted from the start of its block;
the last event has finish reason and usage; ``[DONE]`` follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError, UpstreamTimeout
from headway.events import (
    Event,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    Started,
    StreamEnd,
    Text,
)
from headway.providers.base import State
from headway.providers.cohere.citations import BlockOffsets, read_citations
from headway.providers.cohere.usage import read_usage
from headway.providers.http_errors import error_from_body
from headway.providers.logprobs import read_logprobs
from headway.providers.openai.tools import ChoiceCalls, ToolCallDelta
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Position, Words, as_text, lenient_decoder

FINISH_REASONS = {
    "COMPLETE": "stop",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
    "MAX_TOKENS": "length",
    "STOP_SEQUENCE": "stop",
    "TOOL_CALL": "tool_calls",
}
"""Cohere's to OpenAI's."""
FAILURES: Mapping[str, type[UpstreamError]] = {
    "ERROR": UpstreamError,
    "TIMEOUT": UpstreamTimeout,
    "USER_CANCEL": UpstreamError,
}
"""Finish reasons of a failed response."""


class ContentBlock(Struct):
    text: str | None = None
    thinking: Words | None = None


class CohereMessage(Struct):
    """A whole response has lists; an event has the single item that it adds."""

    content: list[ContentBlock] | ContentBlock | None = None
    tool_plan: Words | None = None
    tool_calls: list[ToolCallDelta] | ToolCallDelta | None = None
    citations: list[dict[str, Any]] | dict[str, Any] | None = None


class EventDelta(Struct):
    message: CohereMessage | None = None
    finish_reason: str | None = None
    usage: Raw = NO_RAW
    error: Words | None = None


class CohereEvent(Struct):
    """An event of a stream, or an error in its place, whose ``message`` is a text."""

    type: Words | None = None
    id: str | None = None
    index: Position = 0
    delta: EventDelta | None = None
    logprobs: dict[str, Any] | None = None
    message: Words | None = None


class CohereResponse(Struct):
    id: str | None = None
    message: CohereMessage | str | None = None
    finish_reason: str | None = None
    usage: Raw = NO_RAW
    logprobs: list[dict[str, Any]] | None = None


class ResponseState:
    """The state of decoding one response."""

    __slots__ = ("calls", "offsets")

    def __init__(self, response_id: str | None = None) -> None:
        self.offsets = BlockOffsets()
        self.calls = ChoiceCalls(0, response_id or "")


_decode_event = lenient_decoder(CohereEvent)
_decode_response = lenient_decoder(CohereResponse)
_decode_any = msgspec.json.Decoder().decode


# --- Streams --------------------------------------------------------------------------------------


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one server-sent event."""
    data = frame.data
    if data == b"[DONE]":
        return [StreamEnd()]
    if not data:
        return []
    event = _decode_event(data)
    read = EVENT_READERS.get(event.type or "") or EVENT_READERS.get(frame.event or "")
    if read is None or event.delta is None:
        return _read_error(event, data)
    memory: ResponseState = state.get("cohere") or state.setdefault(
        "cohere", ResponseState(event.id)
    )
    return read(event, event.delta, memory)


def _read_error(event: CohereEvent, data: bytes) -> list[Event]:
    """An object without a type but with a message is an error; other unknown events are ignored."""
    if event.message is None or event.type is not None:
        return []
    error = error_from_body(_decode_any(data), None)
    error.request_id = event.id
    return [Failed(error)]


def _read_start(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    return [Started(event.id)]


def _read_content(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    message = delta.message
    events: list[Event] = []
    if message is not None and isinstance(message.content, ContentBlock):
        events = _read_block(event.index, message.content, state.offsets)
    if event.logprobs is not None:
        events.append(_read_logprobs([event.logprobs]))
    return events


def _read_plan(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    plan = delta.message and delta.message.tool_plan
    return [Reasoning(plan)] if plan else []


def _read_tool_call(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    call = delta.message and delta.message.tool_calls
    events: list[Event] = []
    if isinstance(call, ToolCallDelta):
        call.index = event.index
        state.calls.read_delta([call], None, events)
    return events


def _read_citation(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    citation = delta.message and delta.message.citations
    return read_citations([citation], state.offsets) if isinstance(citation, dict) else []


def _read_end(event: CohereEvent, delta: EventDelta, state: ResponseState) -> list[Event]:
    events: list[Event] = []
    finish = _read_finish(delta.finish_reason, delta.error, state)
    state.calls.close(events, is_cut=finish == Finished("length"))
    return [*events, finish, *read_usage(delta.usage)]


EVENT_READERS: Mapping[str, Callable[[CohereEvent, EventDelta, ResponseState], list[Event]]] = {
    "citation-start": _read_citation,
    "content-delta": _read_content,
    "content-start": _read_content,
    "message-end": _read_end,
    "message-start": _read_start,
    "tool-call-delta": _read_tool_call,
    "tool-call-start": _read_tool_call,
    "tool-plan-delta": _read_plan,
}


# --- Whole responses ------------------------------------------------------------------------------


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same response would have."""
    response = _decode_response(body)
    message = response.message
    if not isinstance(message, CohereMessage):
        return [Failed(error_from_body(_decode_any(body), None))]
    state = ResponseState(response.id)
    events: list[Event] = [Started(response.id)]
    if message.tool_plan:
        events.append(Reasoning(message.tool_plan))
    for index, block in enumerate(_as_list(message.content)):
        events += _read_block(index, block, state.offsets)
    state.calls.read_message(_as_list(message.tool_calls), None, events)
    events += read_citations(_as_list(message.citations), state.offsets)
    if response.logprobs:
        events.append(_read_logprobs(response.logprobs))
    finish = _read_finish(response.finish_reason, None, state)
    state.calls.close(events, is_cut=finish == Finished("length"))
    events += [finish, *read_usage(response.usage)]
    return [*events, StreamEnd()]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- Parts of both --------------------------------------------------------------------------------


def _read_block(index: int, block: ContentBlock, offsets: BlockOffsets) -> list[Event]:
    if block.thinking is not None:
        return [Reasoning(block.thinking)] if block.thinking else []
    text = block.text or ""
    offsets.add(index, text)
    return [Text(text)] if text else []


def _read_finish(reason: str | None, error: str | None, state: ResponseState) -> Event:
    if error or reason in FAILURES:
        cls = FAILURES.get(reason or "", UpstreamError)
        return Failed(cls(error or f"Cohere broke off its answer ({reason}).", code=reason))
    if not reason:
        return Finished(None)
    ended = FINISH_REASONS.get(reason, "stop")
    is_for_calls = ended == "stop" and state.calls.has_calls and reason != "STOP_SEQUENCE"
    return Finished("tool_calls" if is_for_calls else ended)


def _read_logprobs(items: list[dict[str, Any]]) -> Logprobs:
    """OpenAI's shape. An item may cover several tokens: its probability is their product."""
    content: list[dict[str, Any]] = []
    for item in items:
        if numbers := _numbers(item.get("logprobs")):
            token = as_text(item.get("text"))
            content.append({"token": token, "logprob": sum(numbers), "top_logprobs": []})
    return read_logprobs({"content": content})


def _numbers(values: Any) -> list[float]:
    found = values if isinstance(values, list) else []
    return [value for value in found if isinstance(value, int | float)]
