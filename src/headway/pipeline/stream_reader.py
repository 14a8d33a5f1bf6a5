"""The reading half of a flow: the frames of a streamed answer, its events and their times.

A stream of texts is nearly all of what comes. Where nothing is wanted of an event but its text (the
answer is gathered, or relayed as it is) and the provider can tell one, no event is built of it; and
where the bytes around the texts stay the same, no frame either, and nothing but the text is read.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import repeat
from typing import Any

from headway.dialects.base import ResponseContext, StreamEncoder
from headway.metering.timing import Meter
from headway.pipeline.gateway import Upstream
from headway.ports import Sink
from headway.response_accumulator import ResponseAccumulator
from headway.types import Event, Frame, Text
from headway.wire.event_template import PADDED, Pattern, ReadText, find_padding, find_pattern
from headway.wire.framer import Framer
from headway.wire.sse import SseFramer

FIRST_EVENTS = 3
"""Among these of a read that brings many there is mostly a text: it shows what the rest is like."""
LOOK_AGAIN = 8
"""Texts after which another look is taken at what surrounds them."""

Straight = tuple[
    bytes,
    bytes,
    int,
    slice,
    bytes | None,
    Callable[[str], None],
    Callable[[float], None],
    Callable[[bytes], None],
]
"""How an event that is like the others is told, and what is done with it. Its opening, its closing,
their length together, and where between them the text is, as a JSON string. Then, if the events are
padded, what stands between text and padding (else None): there, the slice is of the text without
its last quote, of this, and of the padding. Last, what keeps the text, what keeps its time, and
what sends the event to the client."""


class StreamReader(Meter):
    """One attempt's answer as it is read, which is its own stopwatch."""

    __slots__ = (
        "_answer",
        "_context",
        "_decode",
        "_epoch",
        "_framer",
        "_look_at",
        "_pattern",
        "_pieces",
        "_plain",
        "_prepared",
        "_read_text",
        "_sink",
        "_state",
        "_straight",
        "_times",
        "_upstream",
        "stream",
    )

    stream: StreamEncoder | None
    """The client's; None where the answer is gathered."""
    _answer: ResponseAccumulator
    _context: ResponseContext
    _epoch: float
    """The unix time when the clock was zero."""
    _framer: Framer | None
    """Of an answer that comes whole there is none, nor is anything below of one."""
    _pieces: list[bytes]
    """Encoded, and still to go to the client."""
    _plain: SseFramer | None
    """The framer, where nothing is wanted of an event but its text, and that can be told."""
    _sink: Sink
    _straight: Straight | None
    """There while nothing is held: for an event that is like the others of a relayed stream."""
    _upstream: Upstream

    @property
    def answer(self) -> ResponseAccumulator:
        """Made when it is asked for: of an answer that is summarized nobody does."""
        try:
            return self._answer
        except AttributeError:
            self._answer = answer = ResponseAccumulator()
            return answer

    def _begin(self) -> None:
        """It is a stream."""
        provider = self._upstream.provider
        self._framer = framer = provider.framer()
        self._decode = provider.decode_event
        self._state: dict[str, Any] = {}
        self._answer = ResponseAccumulator()
        self._pieces = []
        self.arrivals = self._times = array("d")
        self._plain = None
        wants_text = self.stream is None or self._context.is_passthrough
        if wants_text and provider.read_text is not None and type(framer) is SseFramer:
            self._plain = framer
        self._read_text: ReadText | None = None
        """Tells a mere text of the first choice, once that has begun."""
        self._pattern: Pattern | None = None
        self._prepared: Straight | None = None
        self._look_at = 0
        """How many arrivals there must be for another look."""

    def _read(self, framer: SseFramer, data: bytes, now: float) -> bool:
        """Whether the answer is over. Where many events come at once, the first show the pattern
        that the others have; before them is what completes an event that came in part."""
        for _ in range(FIRST_EVENTS):
            if self._pattern is not None and framer.is_clear:
                break
            size = data.find(b"\n\n") + 2
            if not 2 <= size < len(data):
                break
            first, data = data[:size], data[size:]
            if self._take(framer.feed(first), now):
                return True
        are_many = 2 <= data.find(b"\n\n") + 2 < len(data)
        if are_many and self._pattern is not None and framer.is_clear:
            data = self._read_alike(self._pattern, data, now)
            if not data:
                return False
        return self._take(framer.feed(data), now)

    def _read_alike(self, pattern: Pattern, data: bytes, now: float) -> bytes:
        """Gives what is still to be read."""
        texts, rest = pattern.texts(data)
        if texts:
            self._answer.choices[0].text += texts
            self._times.extend(repeat(now, len(texts)))
            if self.stream is not None:
                self._pieces.append(data[: len(data) - len(rest)])
        return rest

    def _take(self, frames: list[Frame], now: float) -> bool:
        """Whether the answer is over: by its end mark, or by an error in it."""
        for frame in frames:
            read = self._read_text
            text = None if read is None or frame.event is not None else read(frame.data)
            if text is not None:
                self._keep(frame, text, now)
            elif self._take_frame(frame, now):
                return True
        return False

    def _take_last(self, frames: list[Frame], now: float) -> None:
        """These lack their end, which is put to them where they are encoded."""
        for frame in frames:
            if self._take_frame(frame, now):
                return

    def _keep(self, frame: Frame, text: str, now: float) -> None:
        """A mere text."""
        self._answer.choices[0].text.append(text)
        self._times.append(now)
        if self.stream is not None:
            self._pieces.append(frame.raw)
        if len(self._times) >= self._look_at:
            self._look(frame, text)

    def _take_frame(self, frame: Frame, now: float) -> bool:
        stream, answer, decode = self.stream, self._answer, self._decode
        events: list[Event] = decode(frame, self._state)
        if events:
            if answer.add(events):
                self._times.append(now)
            if answer.failed is not None:
                return True
            if self._plain is not None and self._read_text is None and 0 in answer.choices:
                self._read_text = self._upstream.provider.read_text
                if type(events[0]) is Text:
                    self._look(frame, events[0].text)
        if stream is not None:
            piece = stream.encode(frame, events, self._epoch + now)
            if piece is not None:
                self._pieces.append(piece)
        return answer.done  # what may come behind the end mark is nobody's

    def _look(self, frame: Frame, text: str) -> None:
        """Whether the events that follow can be told by what surrounds the text of this one."""
        assert self._read_text is not None
        self._look_at = len(self._times) + LOOK_AGAIN
        self._prepared = None
        pattern = self._pattern = find_pattern(frame, text, self._read_text)
        if pattern is not None and self.stream is not None:
            self._prepare(pattern, find_padding(pattern, self._read_text))

    def _prepare(self, pattern: Pattern, between: bytes | None) -> None:
        opening = pattern.opening
        closing = pattern.closing if between is None else PADDED
        self._prepared = (
            opening,
            closing,
            len(opening) + len(closing),
            slice(len(opening) - 1, (1 if between is None else 0) - len(closing)),
            between,
            self._answer.choices[0].text.append,
            self._times.append,
            self._sink.write,
        )
