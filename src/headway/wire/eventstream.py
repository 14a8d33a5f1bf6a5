"""AWS event streams, as bytes in and frames out (application/vnd.amazon.eventstream).

A message is a prelude (total length, length of the headers, CRC-32 of these two), headers, payload,
and a CRC-32 of all before it; every number is big-endian (docs.aws.amazon.com/AmazonS3/latest/
API/RESTSelectObjectAppendix.html; smithy.io/2.0/aws/amazon-eventstream.html has the same).

Rules of this file: both checksums are checked; a frame is named by ``:event-type``, or, for an
exception, by ``:exception-type``; an error, which has no payload, gets one that holds its message.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Callable
from functools import lru_cache

import msgspec

from headway.types import Frame

LIMIT = 32 * 1024 * 1024
PRELUDE = 12
SHORTEST = 16
"""The prelude and the message's own checksum."""

HeaderValue = bool | int | bytes | str
Headers = dict[str, HeaderValue]


class Message(Frame, frozen=True):
    """A frame with what its ``:message-type`` says: event, exception or error."""

    kind: str = "event"

    @property
    def is_failure(self) -> bool:
        return self.kind != "event"


class EventStreamFramer:
    """Feed it what arrives; it gives the messages that are complete."""

    __slots__ = ("_limit", "_needed", "_parts", "_size")

    def __init__(self, limit: int = LIMIT) -> None:
        self._parts: list[bytes] = []
        """A message's pieces, joined once, when it is complete: so a long one takes linear time."""
        self._size = 0
        self._needed = PRELUDE
        """Bytes without which there is nothing to do."""
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError for a checksum or a length that is wrong, and for a message of more
        than the limit, in bytes."""
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
            frames.append(_message(held[start : start + length]))
            start += length
        self._keep(held[start:])
        return frames

    def end(self) -> list[Frame]:
        """Nothing: a message that was cut cannot be read, and the answer shows that it is cut."""
        return []

    def _keep(self, rest: bytes) -> None:
        self._parts = [rest]
        self._size = len(rest)
        self._needed = PRELUDE if len(rest) < PRELUDE else self._length(rest, 0)

    def _length(self, data: bytes, start: int) -> int:
        length, headers, checksum = struct.unpack_from(">III", data, start)
        if crc32(data[start : start + 8]) != checksum:
            raise ValueError("an event's prelude does not match its checksum")
        if length < SHORTEST + headers:
            raise ValueError(f"an event of {length} bytes with {headers} bytes of headers")
        if length > self._limit:
            raise ValueError(f"an event of more than {self._limit} bytes")
        return int(length)


def encode(headers: Headers, payload: bytes) -> bytes:
    """One message. Strings, bytes, booleans, and integers (as 64 bits) can be headers."""
    block = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", SHORTEST + len(block) + len(payload), len(block))
    message = b"".join([prelude, struct.pack(">I", crc32(prelude)), block, payload])
    return message + struct.pack(">I", crc32(message))


def _header(name: str, value: HeaderValue) -> bytes:
    if isinstance(value, bool):
        written = b"\x00" if value else b"\x01"
    elif isinstance(value, int):
        written = struct.pack(">Bq", 5, value)
    else:
        data, kind = (value.encode(), 7) if isinstance(value, str) else (value, 6)
        written = struct.pack(">BH", kind, len(data)) + data
    return struct.pack(">B", len(name.encode())) + name.encode() + written


def _message(raw: bytes) -> Message:
    (checksum,) = struct.unpack_from(">I", raw, len(raw) - 4)
    if crc32(raw[:-4]) != checksum:
        raise ValueError("an event does not match its checksum")
    (length,) = struct.unpack_from(">I", raw, 4)
    kind, event, text = _named(raw[PRELUDE : PRELUDE + length])
    payload = raw[PRELUDE + length : -4]
    if kind == "error" and not payload:
        payload = msgspec.json.encode({"message": text})
    return Message(payload, event, raw, kind)


@lru_cache(maxsize=256)
def _named(block: bytes) -> tuple[str, str | None, str | None]:
    """Kind, name and message. A stream has few different blocks of headers, so they are kept."""
    headers = parse_headers(block)
    kind = _text(headers.get(":message-type")) or "event"
    name = _text(headers.get(NAMES.get(kind, ":event-type")))
    return kind, name, _text(headers.get(":error-message"))


NAMES = {"exception": ":exception-type", "error": ":error-code"}


def _text(value: HeaderValue | None) -> str | None:
    return value if isinstance(value, str) else None


# --- Headers --------------------------------------------------------------------------------------


def parse_headers(block: bytes) -> Headers:
    """Names to values; a timestamp is milliseconds since 1970, a UUID its 16 bytes. Raises
    ValueError for what is no block of headers."""
    headers: Headers = {}
    at = 0
    while at < len(block):
        name, at = _sized(block, at, 1)
        if at >= len(block) or block[at] not in READERS:
            raise ValueError(f"an event's header {name!r} has no type that is known")
        value, at = READERS[block[at]](block, at + 1)
        headers[name.decode()] = value
    return headers


def _sized(block: bytes, at: int, width: int) -> tuple[bytes, int]:
    """What lies behind a length of so many bytes, and where it ends."""
    start = at + width
    end = start + int.from_bytes(block[at:start], "big")
    if start > len(block) or end > len(block):
        raise ValueError("an event's headers end too early")
    return block[start:end], end


def _integer(width: int) -> Callable[[bytes, int], tuple[HeaderValue, int]]:
    def read(block: bytes, at: int) -> tuple[HeaderValue, int]:
        return int.from_bytes(_fixed(block, at, width), "big", signed=True), at + width

    return read


def _fixed(block: bytes, at: int, width: int) -> bytes:
    if at + width > len(block):
        raise ValueError("an event's headers end too early")
    return block[at : at + width]


def _string(block: bytes, at: int) -> tuple[HeaderValue, int]:
    data, end = _sized(block, at, 2)
    return data.decode(), end


READERS: dict[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _integer(1),
    3: _integer(2),
    4: _integer(4),
    5: _integer(8),
    6: lambda block, at: _sized(block, at, 2),
    7: _string,
    8: _integer(8),
    9: lambda block, at: (_fixed(block, at, 16), at + 16),
}
"""By the type's number."""
