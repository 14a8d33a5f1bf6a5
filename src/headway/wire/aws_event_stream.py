"""Split AWS event streams (application/vnd.amazon.eventstream) into frames.

A message is a prelude (total length, length of the headers, CRC-32 of these two), headers, payload,
and a CRC-32 of everything before it; every number is big-endian
(docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html;
smithy.io/2.0/aws/amazon-eventstream.html has the same).

Rules of this file: both checksums are checked; a frame's event is the header ``:event-type`` or,
for an exception, ``:exception-type``; an error, which has no payload, gets one with its message.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Callable
from functools import lru_cache

import msgspec

from headway.types import Frame

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
PRELUDE = 12
"""Bytes."""
MIN_MESSAGE_BYTES = 16
"""The prelude and the message's checksum."""

HeaderValue = bool | int | bytes | str
Headers = dict[str, HeaderValue]


class EventStreamMessage(Frame, frozen=True):
    """A frame with the type of its message."""

    message_type: str = "event"
    """event, exception or error."""

    @property
    def is_failure(self) -> bool:
        return self.message_type != "event"


class EventStreamFramer:
    """``feed`` takes bytes as they arrive and returns the messages that are complete."""

    __slots__ = ("_limit", "_needed", "_parts", "_size")

    def __init__(self, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._parts: list[bytes] = []
        """The pieces of a message, joined once when it is complete, which takes linear time."""
        self._size = 0
        self._needed = PRELUDE
        """The bytes that must be held before the next step."""
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError for a wrong checksum or length, and for a message of more bytes than
        the limit."""
        self._parts.append(data)
        self._size += len(data)
        if self._size < self._needed:
            return []
        held = b"".join(self._parts)
        frames: list[Frame] = []
        start = 0
        while len(held) - start >= PRELUDE:
            length = self._length(held, start)
            if len(held) - start < length:
                break
            frames.append(_decode_message(held[start : start + length]))
            start += length
        self._keep(held[start:])
        return frames

    def end(self) -> list[Frame]:
        """No frames: an incomplete message cannot be read. The decoder of the response misses its
        end and reports that."""
        return []

    def _keep(self, rest: bytes) -> None:
        self._parts = [rest]
        self._size = len(rest)
        self._needed = PRELUDE if len(rest) < PRELUDE else self._length(rest, 0)

    def _length(self, data: bytes, start: int) -> int:
        length, headers, checksum = struct.unpack_from(">III", data, start)
        if crc32(data[start : start + 8]) != checksum:
            raise ValueError("an event's prelude does not match its checksum")
        if length < MIN_MESSAGE_BYTES + headers:
            raise ValueError(f"an event of {length} bytes with {headers} bytes of headers")
        if length > self._limit:
            raise ValueError(f"an event of more than {self._limit} bytes")
        return int(length)


def _decode_message(raw: bytes) -> EventStreamMessage:
    (checksum,) = struct.unpack_from(">I", raw, len(raw) - 4)
    if crc32(raw[:-4]) != checksum:
        raise ValueError("an event does not match its checksum")
    (length,) = struct.unpack_from(">I", raw, 4)
    message_type, event, error_message = _frame_headers(raw[PRELUDE : PRELUDE + length])
    payload = raw[PRELUDE + length : -4]
    if message_type == "error" and not payload:
        payload = msgspec.json.encode({"message": error_message})
    return EventStreamMessage(payload, event, raw, message_type)


@lru_cache(maxsize=256)
def _frame_headers(block: bytes) -> tuple[str, str | None, str | None]:
    """Message type, event and error message. Cached: a stream repeats few different headers."""
    headers = parse_headers(block)
    message_type = _text(headers.get(":message-type")) or "event"
    event = _text(headers.get(EVENT_HEADERS.get(message_type, ":event-type")))
    return message_type, event, _text(headers.get(":error-message"))


EVENT_HEADERS = {"exception": ":exception-type", "error": ":error-code"}


def _text(value: HeaderValue | None) -> str | None:
    return value if isinstance(value, str) else None


# --- Headers --------------------------------------------------------------------------------------


def parse_headers(block: bytes) -> Headers:
    """Values by name; a timestamp is milliseconds since 1970, a UUID its 16 bytes. Raises
    ValueError for malformed headers."""
    headers: Headers = {}
    at = 0
    while at < len(block):
        name, at = _length_prefixed(block, at, 1)
        if at >= len(block) or block[at] not in VALUE_READERS:
            raise ValueError(f"an event's header {name!r} has no type that is known")
        value, at = VALUE_READERS[block[at]](block, at + 1)
        headers[name.decode()] = value
    return headers


def _length_prefixed(block: bytes, at: int, width: int) -> tuple[bytes, int]:
    """The bytes behind a length, which has ``width`` bytes itself, and their end."""
    start = at + width
    end = start + int.from_bytes(block[at:start], "big")
    if start > len(block) or end > len(block):
        raise ValueError("an event's headers end too early")
    return block[start:end], end


def _integer(width: int) -> Callable[[bytes, int], tuple[HeaderValue, int]]:
    def read(block: bytes, at: int) -> tuple[HeaderValue, int]:
        return int.from_bytes(_fixed_size(block, at, width), "big", signed=True), at + width

    return read


def _fixed_size(block: bytes, at: int, width: int) -> bytes:
    if at + width > len(block):
        raise ValueError("an event's headers end too early")
    return block[at : at + width]


def _string(block: bytes, at: int) -> tuple[HeaderValue, int]:
    data, end = _length_prefixed(block, at, 2)
    return data.decode(), end


VALUE_READERS: dict[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _integer(1),
    3: _integer(2),
    4: _integer(4),
    5: _integer(8),
    6: lambda block, at: _length_prefixed(block, at, 2),
    7: _string,
    8: _integer(8),
    9: lambda block, at: (_fixed_size(block, at, 16), at + 16),
}
"""Readers by the number of the value's type."""
