"""Messages of AWS's event stream, as a server encodes them."""

from __future__ import annotations

import struct
from binascii import crc32

from headway.wire.aws_event_stream import MIN_MESSAGE_BYTES, Headers, HeaderValue


def encode_message(headers: Headers, payload: bytes) -> bytes:
    """One message. Header values are strings, bytes, booleans or integers (sent as 64 bits)."""
    block = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", MIN_MESSAGE_BYTES + len(block) + len(payload), len(block))
    message = b"".join([prelude, struct.pack(">I", crc32(prelude)), block, payload])
    return message + struct.pack(">I", crc32(message))


def _encode_header(name: str, value: HeaderValue) -> bytes:
    if isinstance(value, bool):
        written = b"\x00" if value else b"\x01"
    elif isinstance(value, int):
        written = struct.pack(">Bq", 5, value)
    else:
        data, kind = (value.encode(), 7) if isinstance(value, str) else (value, 6)
        written = struct.pack(">BH", kind, len(data)) + data
    return struct.pack(">B", len(name.encode())) + name.encode() + written
