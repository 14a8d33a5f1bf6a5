"""Responses of the Responses API, streamed and whole
(platform.openai.com/docs/api-reference/responses-streaming).

Wire facts, read off recordings: a response is a list of output items, each added, filled by deltas
and closed whole; the last event repeats the response from the start and has its usage; there is no
``[DONE]``; ``sequence_number`` and a random ``obfuscation`` are on most events. A whole response
has the same items, each closed without having been opened, so both are read by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from headway.errors import UpstreamError
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    ModelReported,
    Reasoning,
    Refusal,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
)
from headway.providers.base import State
from headway.providers.error_shapes import NO_ERRORS
from headway.providers.logprobs import read_logprobs
from headway.providers.openai_responses.errors import read_error
from headway.providers.openai_responses.output_items import close_item, open_item
from headway.providers.openai_responses.response_state import ResponseState
from headway.providers.openai_responses.usage import usage_events
from headway.providers.tool_calls import arguments_text
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Position, Words, lenient_decoder

DONE: list[Event] = [StreamEnd()]
FINISH_REASONS = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
"""Why a response is incomplete -> the finish reason of chat completions."""
FILTER_FIELDS = ("content_filters", "moderation")
"""Fields of the response with the results of content filters: Azure's, and OpenAI's own."""
EMPTY = (b"", b"null", b"[]", b"{}")
PENDING = ("queued", "in_progress")


class IncompleteDetails(Struct):
    reason: str | None = None


class Response(Struct):
    """The whole response, or its state at the time of an event."""

    id: str | None = None
    model: str | None = None
    created_at: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    service_tier: str | None = None
    status: str | None = None
    output: list[Raw] | None = None
    incomplete_details: IncompleteDetails | None = None
    content_filters: Raw = NO_RAW
    moderation: Raw = NO_RAW
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


class StreamEvent(Struct):
    """An event of any type; each type has some of the fields."""

    type: Words = ""
    output_index: Position | None = None
    item_id: str | None = None
    summary_index: Position | None = None
    content_index: Position | None = None
    delta: str | dict[str, Any] | None = None
    logprobs: list[dict[str, Any]] | None = None
    item: Raw = NO_RAW
    response: Response | None = None
    error: Raw = NO_RAW


class TextDelta(Struct, gc=False, tag_field="type", tag="response.output_text.delta"):
    """The most frequent event of a stream. Decoding it first costs less CPU time than decoding a
    ``StreamEvent``."""

    delta: str
    output_index: int = 0
    logprobs: tuple[()] | None = None


_decode_text_delta = msgspec.json.Decoder(TextDelta).decode
_decode_event = lenient_decoder(StreamEvent)
_decode_response = lenient_decoder(Response)
_decode_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one server-sent event. Its type is in its data too; the SSE name counts only
    where it is missing there."""
    data = frame.data
    if not data:
        return []
    if data == b"[DONE]":  # servers that copy the wire format send it after the end, or instead
        return DONE
    memory: ResponseState = state.get("response") or state.setdefault("response", ResponseState())
    try:
        text = _decode_text_delta(data)
    except msgspec.ValidationError:
        event = _decode_event(data)
        kind = event.type or frame.event or ""
        if kind == "error" or (not event.type and _is_error(event.error)):
            return [Failed(read_error(_decode_any(data)))]
        read = EVENT_READERS.get(kind) or EVENT_READERS.get(frame.event or "")
        return [] if read is None else read(event, memory)
    return _text_events(text.delta, text.output_index, memory)


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same response would have. Raises ValueError for a body
    without output."""
    response = _decode_response(body)
    if _is_error(response.error):
        return [Failed(read_error(_decode_any(body)))]
    if response.output is None:
        raise ValueError("the answer has no output")
    if response.status in PENDING:
        message = f"The provider's answer is not there yet ({response.status})."
        return [Failed(UpstreamError(message, code=response.status))]
    state = ResponseState()
    state.calls.seed = response.id or ""
    return [_start_event(response), *_end_events(response, state)]


# --- Events of a stream ---------------------------------------------------------------------------


def _read_start(event: StreamEvent, state: ResponseState) -> list[Event]:
    if state.has_started:
        return []
    state.has_started = True
    response = event.response or Response()
    state.calls.seed = response.id or ""
    state.model = response.model
    return [_start_event(response)]


def _read_item_added(event: StreamEvent, state: ResponseState) -> list[Event]:
    return open_item(_index(event, state), event.item, state)


def _read_text_delta(event: StreamEvent, state: ResponseState) -> list[Event]:
    """A delta that is no ``TextDelta``, because it has log probabilities."""
    index = _index(event, state)
    events = _text_events(_delta_text(event), index, state)
    if event.logprobs:
        state.item(index).has_logprobs = True
        events.append(read_logprobs({"content": event.logprobs}))
    return events


def _text_events(text: str, index: int, state: ResponseState) -> list[Event]:
    if not text:
        return []
    state.item(index).text_length += len(text)
    return [Text(text)]


def _read_refusal_delta(event: StreamEvent, state: ResponseState) -> list[Event]:
    text = _delta_text(event)
    state.item(_index(event, state)).has_refusal |= bool(text)
    return [Refusal(text)] if text else []


def _read_arguments_delta(event: StreamEvent, state: ResponseState) -> list[Event]:
    text = arguments_text(event.delta)
    if not text:
        return []
    events: list[Event] = []
    item = state.item(_index(event, state))
    item.has_arguments = True
    if item.call is None:
        item.early_arguments += text
    else:
        item.call.add(text, events)
    return events


def _read_reasoning_delta(event: StreamEvent, state: ResponseState) -> list[Event]:
    """Add a blank line between paragraphs of reasoning or summaries, which come without
    separators."""
    text = _delta_text(event)
    if not text:
        return []
    item = state.item(_index(event, state))
    paragraph = (event.summary_index, event.content_index)
    is_next = item.paragraph is not None and item.paragraph != paragraph
    item.paragraph = paragraph
    return [Reasoning("\n\n" + text if is_next else text)]


def _read_item_done(event: StreamEvent, state: ResponseState) -> list[Event]:
    return close_item(event.output_index, event.item, state)


def _read_end(event: StreamEvent, state: ResponseState) -> list[Event]:
    response = event.response or Response()
    return [*_late_facts(response, state), *_end_events(response, state)]


def _read_failure(event: StreamEvent, state: ResponseState) -> list[Event]:
    response = event.response or Response()
    events = _late_facts(response, state)
    events += usage_events(response.usage, state.tool_uses)
    error = _decode_any(response.error) if _is_error(response.error) else {}
    return [*events, Failed(read_error(error))]


EVENT_READERS: dict[str, Callable[[StreamEvent, ResponseState], list[Event]]] = {
    "response.created": _read_start,
    "response.queued": _read_start,
    "response.in_progress": _read_start,
    "response.output_item.added": _read_item_added,
    "response.output_text.delta": _read_text_delta,
    "response.refusal.delta": _read_refusal_delta,
    "response.function_call_arguments.delta": _read_arguments_delta,
    "response.custom_tool_call_input.delta": _read_arguments_delta,
    "response.reasoning_summary_text.delta": _read_reasoning_delta,
    "response.reasoning_text.delta": _read_reasoning_delta,
    "response.output_item.done": _read_item_done,
    "response.completed": _read_end,
    "response.incomplete": _read_end,
    "response.failed": _read_failure,
    "response.cancelled": _read_failure,
}
"""Functions by the event's type; events of other types are ignored."""


def _index(event: StreamEvent, state: ResponseState) -> int:
    """The position of the item that the event belongs to, by its id where it lacks one."""
    if event.output_index is not None:
        return event.output_index
    return state.indexes.get(event.item_id or "", 0)


def _delta_text(event: StreamEvent) -> str:
    return event.delta if isinstance(event.delta, str) else ""


# --- Start and end --------------------------------------------------------------------------------


def _start_event(response: Response) -> Started:
    created = None if response.created_at is None else int(response.created_at)
    tier = _service_tier(response)
    return Started(response.id, response.model, created, service_tier=tier)


def _service_tier(response: Response) -> str | None:
    """A ``service_tier`` of auto repeats the request and does not name the tier that serves it."""
    return None if response.service_tier == "auto" else response.service_tier


def _late_facts(response: Response, state: ResponseState) -> list[Event]:
    """The first events repeat what was asked for; the last one tells what served it."""
    tier, model = _service_tier(response), response.model
    events: list[Event] = [ServiceTierReported(tier)] if tier else []
    if model and state.has_started and model != state.model:
        events.append(ModelReported(model))
    return events


def _end_events(response: Response, state: ResponseState) -> list[Event]:
    """The events of the items that no event closed, and all events after them."""
    events: list[Event] = []
    for index, item in enumerate(response.output or ()):
        if index not in state.closed_items:
            events += close_item(index, item, state)
    state.calls.close(events)
    filters = {name: getattr(response, name) for name in FILTER_FIELDS}
    given = {name: _decode_any(raw) for name, raw in filters.items() if bytes(raw) not in EMPTY}
    if given:
        events.append(ExtraFields(given))
    events.append(_finish_event(response, state))
    return [*events, *usage_events(response.usage, state.tool_uses), *DONE]


def _finish_event(response: Response, state: ResponseState) -> Event:
    if response.status in ("failed", "cancelled"):
        message = f"The provider's answer was broken off ({response.status})."
        return Failed(UpstreamError(message, code=response.status))
    if response.status == "incomplete":
        reason = (response.incomplete_details or IncompleteDetails()).reason or ""
        return Finished(FINISH_REASONS.get(reason, "length"))
    return Finished("tool_calls" if state.calls.count else "stop")


def _is_error(raw: Raw) -> bool:
    return bytes(raw) not in NO_ERRORS
