"""Answers of OpenAI's Responses API, streamed and whole
(platform.openai.com/docs/api-reference/responses-streaming).

Wire facts, read off recordings: an answer is a list of output items, each added, filled by deltas
and closed whole; the last event repeats the answer from the start and has its usage; there is no
``[DONE]``; ``sequence_number`` and a random ``obfuscation`` are on most events. A whole answer is
the same items, each closed without having been opened: so here is one reading for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.providers.base import State
from headway.providers.http_errors import error_from_body
from headway.providers.openai_responses.output_items import Reading, close, open_item
from headway.providers.openai_responses.usage import usage_seen
from headway.types import (
    NO_RAW,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Logprobs,
    Reasoning,
    Refusal,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
)

DONE: list[Event] = [StreamEnd()]
INCOMPLETE = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
"""Why an answer is incomplete, in the words of chat completions."""
BESIDE = ("content_filters", "moderation")
"""Fields of the whole that say what filters made of it: Azure's and OpenAI's own."""
NOT_THERE = (b"", b"null", b"[]", b"{}")
AT_WORK = ("queued", "in_progress")
REFUSED = re.compile(r"invalid_|image_|empty_image|unsupported_image|failed_to_download|content_")
"""Codes of errors that are the request's fault, by how they begin (the enumeration of
``response.error.code``; content_filter is Azure's)."""


class Incomplete(Struct):
    reason: str | None = None


class Response(Struct):
    """The whole answer, or as much of it as there was when the event was made."""

    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    service_tier: str | None = None
    status: str | None = None
    output: list[Raw] | None = None
    incomplete_details: Incomplete | None = None
    content_filters: Raw = NO_RAW
    moderation: Raw = NO_RAW
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


class StreamEvent(Struct):
    """All kinds of event; each has some of these."""

    type: str = ""
    output_index: int = 0
    summary_index: int | None = None
    content_index: int | None = None
    delta: str | dict[str, Any] | None = None
    logprobs: list[dict[str, Any]] | None = None
    item: Raw = NO_RAW
    response: Response | None = None
    error: Raw = NO_RAW


class TextDelta(Struct, gc=False, tag_field="type", tag="response.output_text.delta"):
    """What nearly every event of a stream is."""

    delta: str
    output_index: int = 0
    logprobs: tuple[()] | None = None


_text_delta = msgspec.json.Decoder(TextDelta).decode
_event = msgspec.json.Decoder(StreamEvent).decode
_response = msgspec.json.Decoder(Response).decode
_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One event of the stream. It has its type in its data too, so that its name is not needed."""
    data = frame.data
    if not data or data == b"[DONE]":  # said by servers that copy the wire, after the end
        return []
    reading: Reading = state.get("reading") or state.setdefault("reading", Reading())
    try:
        plain = _text_delta(data)
    except msgspec.ValidationError:
        event = _event(data)
        if event.type == "error" or (not event.type and _is_there(event.error)):
            return [Failed(_error(_any(data)))]
        read = EVENTS.get(event.type)
        return [] if read is None else read(event, reading)
    return _said(plain.delta, plain.output_index, reading)


def decode_response(body: bytes) -> list[Event]:
    """A whole answer, as the stream that it might have been."""
    response = _response(body)
    if _is_there(response.error):
        return [Failed(_error(_any(response.error)))]
    if response.output is None:
        raise ValueError("the answer has no output")
    if response.status in AT_WORK:
        message = f"The provider's answer is not there yet ({response.status})."
        return [Failed(UpstreamError(message, code=response.status))]
    reading = Reading()
    return [_started(response), *_ended(response, reading)]


# --- Events of a stream ---------------------------------------------------------------------------


def _on_created(event: StreamEvent, reading: Reading) -> list[Event]:
    if reading.has_started:
        return []
    reading.has_started = True
    return [_started(event.response or Response())]


def _on_added(event: StreamEvent, reading: Reading) -> list[Event]:
    return open_item(event.output_index, event.item, reading)


def _on_text(event: StreamEvent, reading: Reading) -> list[Event]:
    """A piece of text with its probabilities."""
    events = _said(_delta(event), event.output_index, reading)
    if event.logprobs:
        reading.at(event.output_index).has_logprobs = True
        events.append(Logprobs({"content": event.logprobs}))
    return events


def _said(text: str, index: int, reading: Reading) -> list[Event]:
    if not text:
        return []
    reading.at(index).length += len(text)
    return [Text(text)]


def _on_refusal(event: StreamEvent, reading: Reading) -> list[Event]:
    text = _delta(event)
    reading.at(event.output_index).has_refusal |= bool(text)
    return [Refusal(text)] if text else []


def _on_arguments(event: StreamEvent, reading: Reading) -> list[Event]:
    text = _delta(event)
    if not text:
        return []
    opened = reading.at(event.output_index)
    opened.has_arguments = True
    return [ToolArguments(opened.tool, text)]


def _on_thought(event: StreamEvent, reading: Reading) -> list[Event]:
    """Summaries and thoughts come in paragraphs, which nothing stands between."""
    text = _delta(event)
    if not text:
        return []
    opened = reading.at(event.output_index)
    paragraph = (event.summary_index, event.content_index)
    parted = opened.paragraph is not None and opened.paragraph != paragraph
    opened.paragraph = paragraph
    return [Reasoning("\n\n" + text if parted else text)]


def _on_done(event: StreamEvent, reading: Reading) -> list[Event]:
    return close(event.output_index, event.item, reading)


def _on_end(event: StreamEvent, reading: Reading) -> list[Event]:
    return _ended(event.response or Response(), reading)


def _on_failed(event: StreamEvent, reading: Reading) -> list[Event]:
    response = event.response or Response()
    events: list[Event] = [usage_seen(response.usage)] if _is_there(response.usage) else []
    said = _any(response.error) if _is_there(response.error) else {}
    return [*events, Failed(_error(said))]


EVENTS: dict[str, Callable[[StreamEvent, Reading], list[Event]]] = {
    "response.created": _on_created,
    "response.queued": _on_created,
    "response.in_progress": _on_created,
    "response.output_item.added": _on_added,
    "response.output_text.delta": _on_text,
    "response.refusal.delta": _on_refusal,
    "response.function_call_arguments.delta": _on_arguments,
    "response.custom_tool_call_input.delta": _on_arguments,
    "response.reasoning_summary_text.delta": _on_thought,
    "response.reasoning_text.delta": _on_thought,
    "response.output_item.done": _on_done,
    "response.completed": _on_end,
    "response.incomplete": _on_end,
    "response.failed": _on_failed,
    "response.cancelled": _on_failed,
}


def _delta(event: StreamEvent) -> str:
    return event.delta if isinstance(event.delta, str) else ""


# --- The whole ------------------------------------------------------------------------------------


def _started(response: Response) -> Started:
    """``auto`` is what was asked for, and not the tier that serves it."""
    tier = None if response.service_tier == "auto" else response.service_tier
    created = None if response.created_at is None else int(response.created_at)
    return Started(response.id, response.model, created, service_tier=tier)


def _ended(response: Response, reading: Reading) -> list[Event]:
    """What is left to say at the end: all of it, if nothing was streamed."""
    events: list[Event] = []
    if not reading.closed:
        for index, item in enumerate(response.output or ()):
            events += close(index, item, reading)
    beside = {name: getattr(response, name) for name in BESIDE}
    told = {name: _any(raw) for name, raw in beside.items() if bytes(raw) not in NOT_THERE}
    if told:
        events.append(ExtraFields(told))
    events.append(_finish(response, reading))
    if _is_there(response.usage):
        events.append(usage_seen(response.usage))
    return [*events, *DONE]


def _finish(response: Response, reading: Reading) -> Event:
    if response.status in ("failed", "cancelled"):
        message = f"The provider's answer was broken off ({response.status})."
        return Failed(UpstreamError(message, code=response.status))
    if response.status == "incomplete":
        reason = (response.incomplete_details or Incomplete()).reason or ""
        return Finished(INCOMPLETE.get(reason, "length"))
    return Finished("tool_calls" if reading.tools else "stop")


def _error(said: Any) -> UpstreamError:
    """``type: error`` is the event's, and says nothing of the fault."""
    if isinstance(said, dict):
        if said.get("type") == "error":
            said = {name: value for name, value in said.items() if name != "type"}
        if REFUSED.match(str(said.get("code"))):
            said = {"type": "invalid_request_error", **said}
    return error_from_body(said or "The provider reported an error with no message.", None)


def _is_there(raw: Raw) -> bool:
    return bytes(raw) not in (b"", b"null")
