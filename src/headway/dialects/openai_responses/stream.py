"""A streamed response: each event named, numbered, and with the fields of OpenAI's
(platform.openai.com/docs/api-reference/responses-streaming).

The frames of a provider with the same wire format are passed through, the last one when the record
is on disk. Their events are followed, so that the stream can go on where a frame cannot be.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.dialects.base import SSE, ResponseContext, add_metrics, without_line_breaks
from headway.dialects.input_items.tools import ToolNames, read_names
from headway.dialects.openai_responses.output_items import TEXT_DELTA, Fields, WireEvents
from headway.dialects.openai_responses.output_writer import OutputWriter
from headway.dialects.openai_responses.response_object import (
    finished_object,
    id_seed,
    repeated_fields,
    request_fields,
    response_object,
    shows_summary,
)
from headway.dialects.openai_responses.stream_errors import error_object
from headway.errors import HeadwayError
from headway.events import Event, Started, StreamEnd, Text
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame

FIRST_EVENTS = ("response.created", "response.in_progress")
ADDED_TOOLS = b'"additional_tools"'

_encode = msgspec.json.Encoder().encode


class OpenAIResponsesStream:
    __slots__ = (
        "_context",
        "_count",
        "_first_object",
        "_last_frame",
        "_started",
        "_template",
        "_writer",
        "content_type",
        "is_framed",
        "is_passthrough",
    )

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self.is_passthrough = context.is_passthrough
        self.content_type = SSE
        self.is_framed = True
        self._writer = new_writer(context)
        self._count = 0
        """The number of events so far, which is the next one's sequence number."""
        self._started = Started()
        self._first_object: Fields | None = None
        """The response as the first events show it; None before them."""
        self._template: tuple[bytes, bytes] | None = None
        """What surrounds the text in a delta of the open message."""
        self._last_frame: bytes | None = None
        """The provider's last frame, until the end."""

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            if frame.raw:
                return self._pass_through(frame, events)
            self.is_passthrough = False
        if self._template is not None and len(events) == 1:
            event = events[0]
            if type(event) is Text and event.index == 0:
                return self._text_delta(event.text, self._template)
        return self._translate(events)

    def _pass_through(self, frame: Frame, events: list[Event]) -> bytes | None:
        if len(events) == 1 and type(events[0]) is Text and frame.raw.endswith(b"\n\n"):
            message = self._writer.open_message
            if message is not None:  # most frames: spare them the events that nobody reads
                message.keep_text(events[0].text)
                self._count += 1
                return frame.raw
        self._note_start(events)
        self._writer.read(events, [])
        raw = frame.raw if frame.raw.endswith(b"\n\n") else frame.raw.rstrip(b"\r\n") + b"\n\n"
        self._count += bool(frame.data)
        if any(type(event) is StreamEnd for event in events):
            self._last_frame = raw
            return None
        return raw

    def _translate(self, events: list[Event]) -> bytes | None:
        out: WireEvents = []
        self._note_start(events)
        if self._first_object is None:
            self._begin(out)
        self._writer.read(events, out)
        message = self._writer.open_message
        self._template = None
        pieces = self._events(out)
        if message is not None:
            where = {"content_index": message.index, "delta": "", "logprobs": []}
            fields = message.at(**where)
            head, _, tail = _event(TEXT_DELTA, fields, 0).partition(b'"delta":""')
            self._template = head + b'"delta":', tail[: tail.rindex(b":") + 1]
        return b"".join(pieces) or None

    def _text_delta(self, text: str, template: tuple[bytes, bytes]) -> bytes:
        message = self._writer.open_message
        assert message is not None
        message.keep_text(text)
        number, self._count = self._count, self._count + 1
        return b"%b%b%b%d}\n\n" % (template[0], _encode(text), template[1], number)

    def _note_start(self, events: list[Event]) -> None:
        if events and type(events[0]) is Started:
            self._started = events[0]

    def _begin(self, out: WireEvents) -> None:
        """Of a stream that was passed through until now the client has the beginning already."""
        repeated = repeated_fields(self._context)
        first_object = response_object(self._context, self._started, repeated, "in_progress")
        self._first_object = first_object
        if self._context.is_passthrough and self._count:
            first_object["id"] = self._started.id or first_object["id"]
        else:
            out += [(kind, {"response": first_object}) for kind in FIRST_EVENTS]

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        """The metrics are in the last event: SDKs that check events refuse unknown types."""
        pieces = [] if self._last_frame is None else [self._last_frame]
        if not pieces:
            pieces = self._finish(response, now)
        if self._context.call.shows_metrics:
            pieces[-1] = add_metrics(pieces[-1], metrics)
        return pieces

    def _finish(self, response: ResponseAccumulator, now: float) -> list[bytes]:
        out: WireEvents = []
        if self._first_object is None:
            self._begin(out)
        assert self._first_object is not None
        finished = finished_object(response, self._first_object, [], now)
        status = finished["status"]
        self._writer.close(out, status)
        finished["output"] = self._writer.output
        out.append((f"response.{status}", {"response": finished}))
        return self._events(out)

    def fail(self, error: HeadwayError) -> list[bytes]:
        """Two events: OpenAI's SDKs raise at the first, and agents read the second."""
        out: WireEvents = []
        if self._first_object is None:
            self._begin(out)
        assert self._first_object is not None
        described = error_object(error, self._context)
        flat = {name: described[name] for name in ("code", "message", "param")}
        out.append(("error", {**flat, "error": described}))
        failure = {"code": described["code"], "message": described["message"]}
        failed = {**self._first_object, "status": "failed", "error": failure}
        out.append(("response.failed", {"response": {**failed, "output": self._writer.output}}))
        return self._events(out)

    def _events(self, out: WireEvents) -> list[bytes]:
        first, self._count = self._count, self._count + len(out)
        return [_event(kind, fields, first + n) for n, (kind, fields) in enumerate(out)]


def new_writer(context: ResponseContext) -> OutputWriter:
    is_same_wire = context.is_passthrough
    names = tool_names(context)
    return OutputWriter(id_seed(context), names, shows_summary(context), is_same_wire)


def tool_names(context: ResponseContext) -> ToolNames:
    """A provider of the same wire format calls tools by the client's names."""
    fields = request_fields(context)
    if context.is_passthrough:
        return {}
    lists = [bytes(fields["tools"])] if "tools" in fields else []
    given = bytes(fields.get("input", b""))
    if ADDED_TOOLS in given:
        items: list[Any] = msgspec.json.decode(given)
        added = [item for item in items if item.get("type") == "additional_tools"]
        lists += [_encode(item.get("tools") or []) for item in added]
    return read_names(*lists)


def _event(kind: str, fields: Fields, number: int) -> bytes:
    data = without_line_breaks(_encode({"type": kind, **fields, "sequence_number": number}))
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
