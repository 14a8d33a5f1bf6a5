"""Read a streamed response: its frames, their events, and the times when they arrived.

Text events are nearly all of a stream. Where the provider can read nothing but the text of an event
(``read_text``), it is not decoded; and where the bytes around the texts stay the same, no frames
are made either.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from enum import IntEnum
from itertools import repeat
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.dialects.base import ResponseContext, StreamEncoder
from headway.events import (
    Event,
    Failed,
    ModelReported,
    ServiceTierReported,
    Started,
    Text,
    UsageReported,
)
from headway.metering.timing import Meter
from headway.pipeline import provider_calls
from headway.pipeline.character_joiner import CharacterJoiner
from headway.pipeline.gateway import Upstream
from headway.ports import Sink
from headway.providers.http_errors import find_error
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame
from headway.wire.event_template import (
    EventTemplate,
    NamedEventTemplate,
    ReadText,
    SingleEventTemplate,
    find_named_template,
    find_template,
    single_event_template,
)
from headway.wire.keep_alive import is_keep_alive
from headway.wire.sse import SseFramer

FIRST_EVENTS = 3
"""Events of a chunk that are read one by one: usually one of them is a text, which gives the
template for the rest of the chunk."""
CHECK_INTERVAL = 8
"""Number of texts after which the template is searched again."""


FACTS = frozenset((UsageReported, ServiceTierReported, ModelReported))


class Mode(IntEnum):
    """The ways to read a chunk of the response, from the most general to the fastest."""

    BODY = 0
    """The response is not a stream: collect its body."""
    EVENTS = 1
    """Split into frames, decode each into events, encode those for the client."""
    FIRST_TEXT = 2
    """Like EVENTS, until the first choice begins; then TEXTS."""
    TEXTS = 3
    """Split into frames, and read a frame that is a text without decoding it into events."""
    TEMPLATE = 4
    """Like TEXTS, but read events that match the template together, without splitting."""
    RELAY = 5
    """Like TEMPLATE, and a chunk that is one matching event is written to the client at once."""


NO_FRAME = Frame(b"", None, b"")
"""In place of a frame whose bytes cannot be passed through."""
EVENTS, FIRST_TEXT, TEXTS = Mode.EVENTS, Mode.FIRST_TEXT, Mode.TEXTS


class StreamReader(Meter):
    """The response of one attempt while it is read. It is its own stopwatch (``Meter``)."""

    __slots__ = (
        "_accumulator",
        "_can_relay",
        "_decode_event",
        "_framer",
        "_is_relayed",
        "_joiner",
        "_next_check",
        "_pieces",
        "_read_text",
        "_single_event",
        "_sink",
        "_state",
        "_template",
        "_text_event",
        "_texts",
        "_times",
        "_unix_offset",
        "_unread_usage",
        "_usage_in_texts",
        "context",
        "encoder",
        "mode",
        "unread",
        "upstream",
    )

    encoder: StreamEncoder | None
    """The client's stream encoder; None where the response is accumulated."""
    mode: Mode
    _accumulator: ResponseAccumulator
    context: ResponseContext
    _pieces: list[bytes]
    """Encoded pieces that are not yet written to the client."""
    _single_event: SingleEventTemplate | NamedEventTemplate | None
    """Only where there is an encoder."""
    _sink: Sink
    _texts: list[str]
    """The texts of the first choice, in ``TEXTS`` and later modes."""
    _unix_offset: float
    """Unix time when the clock was zero."""
    _unread_usage: Frame | None
    """The last frame of which only the text was read, where it has usage as well."""
    upstream: Upstream

    @property
    def accumulator(self) -> ResponseAccumulator:
        """Created when it is first needed: never for a response that is summarized."""
        try:
            accumulator = self._accumulator
        except AttributeError:
            self._accumulator, self._unread_usage = ResponseAccumulator(), None
            return self._accumulator
        if self._unread_usage is not None:
            self._read_usage(self._unread_usage)
        return accumulator

    def _begin_stream(self) -> None:
        provider = self.upstream.provider
        # Modes from FIRST_TEXT on have an SSE framer, EVENTS has any.
        self._framer: SseFramer = provider.framer()  # type: ignore[assignment]
        self._decode_event = provider.decode_event
        self._state: dict[str, Any] = {}
        self.unread = b""
        """The data of the last frame that had no content."""
        self._joiner: CharacterJoiner | None = None
        """Joins split characters, from the first frame on that had to be repaired."""
        self._accumulator = ResponseAccumulator()
        self._pieces = []
        self.arrivals = self._times = array("d")
        self._is_relayed = self.encoder is not None and self.context.is_passthrough
        read_text = provider.read_text or (provider.read_relayed_text if self._is_relayed else None)
        self._read_text: ReadText = read_text  # type: ignore[assignment]
        self._text_event = provider.text_event
        self._usage_in_texts = self._is_relayed and provider.texts_have_usage
        self._unread_usage = None
        is_readable = read_text is not None and type(self._framer) is SseFramer
        self.mode = Mode.FIRST_TEXT if is_readable else Mode.EVENTS
        self._template: EventTemplate | None = None
        self._single_event = None
        self._can_relay = False
        self._next_check = 0
        """Number of texts after which the template is searched again."""

    def _read_events(self, data: bytes, now: float) -> bool:
        return self._decode_frames(self._framer.feed(data), now)

    def _read_texts(self, data: bytes, now: float) -> bool:
        """If a chunk has many events, the first ones give the template of the others. The chunk may
        begin with the rest of an incomplete event."""
        framer = self._framer
        if self._single_event is not None and framer.is_clear:
            text = self._single_event.read(data)
            if text:
                self._add_text(text, data, now)
                return False
        for _ in range(FIRST_EVENTS):
            if self._template is not None and framer.is_clear:
                break
            size = data.find(b"\n\n") + 2
            if not 2 <= size < len(data):
                break
            first, data = data[:size], data[size:]
            if self._read_frames(framer.feed(first), now):
                return True
        has_many = 2 <= data.find(b"\n\n") + 2 < len(data)
        if has_many and self._template is not None and framer.is_clear:
            data = self._read_matching(self._template, data, now)
            if not data:
                return False
        return self._read_frames(framer.feed(data), now)

    def _read_matching(self, template: EventTemplate, data: bytes, now: float) -> bytes:
        """Returns the bytes that are still to be read."""
        texts, rest = template.read_many(data)
        if texts:
            self._texts += texts
            self._times.extend(repeat(now, len(texts)))
            if self._is_relayed:
                self._pieces.append(data[: len(data) - len(rest)])
            elif self.encoder is not None:
                for text in texts:
                    self._encode(NO_FRAME, [Text(text)], now)
        return rest

    def _read_frames(self, frames: list[Frame], now: float) -> bool:
        """Like ``_decode_frames``, but reads a text without decoding, from ``TEXTS`` on."""
        for frame in frames:
            text = None
            if self.mode >= TEXTS and frame.event == self._text_event:
                text = self._read_text(frame.data)
            if text is not None:
                self._keep_text(frame, text, now)
            elif self._decode_frame(frame, now):
                return True
        return False

    def _decode_frames(self, frames: list[Frame], now: float) -> bool:
        """Returns whether the response has ended, by its end mark or by an error in it."""
        for frame in frames:  # noqa: SIM110 - a generator would take longer
            if self._decode_frame(frame, now):
                return True
        return False

    def _keep_text(self, frame: Frame, text: str, now: float) -> None:
        if self._usage_in_texts:
            self._unread_usage = frame
            self._texts.append(text)
            self._times.append(now)
            self._encode(frame, [Text(text)], now)
            return
        self._add_text(text, frame.raw, now)
        if len(self._times) >= self._next_check:
            self._find_template(frame, text)

    def _add_text(self, text: str, raw: bytes, now: float) -> None:
        """``raw`` are the bytes of its event."""
        self._texts.append(text)
        self._times.append(now)
        if self._is_relayed:
            self._pieces.append(raw)
        elif self.encoder is not None:
            self._encode(NO_FRAME, [Text(text)], now)

    def _encode(self, frame: Frame, events: list[Event], now: float) -> None:
        assert self.encoder is not None
        piece = self.encoder.encode(frame, events, self._unix_offset + now)
        if piece is not None:
            self._pieces.append(piece)

    def _decode_frame(self, frame: Frame, now: float) -> bool:
        """Decode and encode one frame. Returns whether the response has ended."""
        encoder, accumulator, decode_event = self.encoder, self._accumulator, self._decode_event
        if self._unread_usage is not None:
            self._read_usage(self._unread_usage)
        try:
            events: list[Event] = decode_event(frame, self._state)
        except provider_calls.MALFORMED as exc:
            events = self._decode_damaged(frame, exc)
        if self._joiner is not None:
            events, frame = self._joiner.join(events), NO_FRAME
        if accumulator.add(events):
            self._times.append(now)
            if self.mode is FIRST_TEXT and 0 in accumulator.choices:
                self._begin_texts(frame, events[0])
        elif not events or type(events[0]) is Started:
            self.unread = frame.data or self.unread
            accumulator.add(provider_calls.find_failure(events, frame.data))
        if accumulator.failed is not None:
            return True
        if encoder is not None:
            piece = encoder.encode(frame, events, self._unix_offset + now)
            if piece is not None:
                self._pieces.append(piece)
            if self._is_relayed and not encoder.is_passthrough:
                self._stop_relaying()
        return accumulator.done  # whatever follows the end mark is ignored

    def _read_usage(self, frame: Frame) -> None:
        """Of a frame whose text was read already."""
        self._unread_usage = None
        events = self._decode_event(frame, self._state)
        self._accumulator.add([event for event in events if type(event) in FACTS])

    def _decode_damaged(self, frame: Frame, cause: Exception) -> list[Event]:
        """The events of a frame over which the decoder failed with ``cause``: an error in place of
        an event, JSON that is no object or can be repaired, or none for a sign of life. Raises
        ``cause`` for any other, and where it is no fault of the JSON: the decoder has changed its
        state then."""
        if is_keep_alive(frame.data):
            return []
        error = find_error(frame.data)
        if error is not None:
            return [Failed(error)]
        parts = provider_calls.objects_in(frame.data)
        if parts is not None:
            raw, data = frame.raw, frame.data
            frames = (replace(frame, data=one, raw=raw.replace(data, one)) for one in parts)
            return [event for each in frames for event in self._decode_event(each, self._state)]
        is_damaged = isinstance(cause, msgspec.DecodeError | UnicodeError)
        repaired = self.upstream.provider.repair_event(frame.data) if is_damaged else None
        if repaired is None:
            raise cause
        self._joiner = self._joiner or CharacterJoiner()
        self._stop_relaying()
        return self._decode_event(replace(frame, data=repaired), self._state)

    def _stop_relaying(self) -> None:
        """The encoder needs the events of all further frames."""
        self.mode = Mode.EVENTS
        self._template = self._single_event = None
        self._is_relayed = self._can_relay = self._usage_in_texts = False

    def _begin_texts(self, frame: Frame, first_event: Event) -> None:
        self.mode = Mode.TEXTS
        self._texts = self._accumulator.choices[0].text
        if type(first_event) is Text and not self._usage_in_texts:
            self._find_template(frame, first_event.text)

    def _find_template(self, frame: Frame, text: str) -> None:
        self._next_check = len(self._times) + CHECK_INTERVAL
        template = self._template = find_template(frame, text, self._read_text)
        self.mode = Mode.TEXTS if template is None else Mode.TEMPLATE
        if self.encoder is not None:
            if template is None:  # chunks of several events with names are split into frames
                self._single_event = find_named_template(frame, text, self._read_text)
            else:
                self._single_event = single_event_template(template, self._read_text)
            self._can_relay = self._is_relayed and self._single_event is not None


READERS: dict[Mode, Callable[[StreamReader, bytes, float], bool]] = {
    Mode.EVENTS: StreamReader._read_events,
    Mode.FIRST_TEXT: StreamReader._read_texts,
    Mode.TEXTS: StreamReader._read_texts,
    Mode.TEMPLATE: StreamReader._read_texts,
}
"""The functions that read a chunk of a stream. Each returns whether the response has ended, and
raises what adapters raise (``MALFORMED``). ``Attempt`` collects a ``BODY``, and relays in
``RELAY``."""
