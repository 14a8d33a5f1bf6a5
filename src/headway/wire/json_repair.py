"""Repair JSON over which strict decoders fail: bytes that are not UTF-8, half of a surrogate pair
as an escape, control characters in strings, NaN and Infinity.

A character may be split over two strings, as the two halves of a surrogate pair or as bytes of
UTF-8 (servers that send each token's bytes do that). So that it can be joined, every part that is
not a character of its own becomes a stand-in: a character of the last private plane, which no text
has.
``complete`` joins stand-ins; what stays alone is U+FFFD (RFC 3629, section 3; WHATWG Encoding,
section 4.1; RFC 8259, section 8.2).
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import msgspec

SURROGATES, BYTES = 0x10D800, 0x10E000
"""What is added to a byte; of a surrogate, 0x100000 is added to its code."""
OFFSET = SURROGATES - 0xD800
HIGH_SURROGATES = range(SURROGATES, SURROGATES + 0x400)
FROM_SURROGATE = {code: code + OFFSET for code in range(0xD800, 0xE000)}
FROM_UNDECODABLE = {0xDC00 + byte: BYTES + byte for byte in range(0x80, 0x100)}
"""Python's ``surrogateescape`` gives the keys (PEP 383)."""
RUN = re.compile("[\U0010d800-\U0010dfff]+|[\U0010e080-\U0010e0ff]+")
SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST = 3
"""Bytes of an incomplete character of UTF-8."""

STRICT_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_parse = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def repair_json(data: bytes) -> bytes | None:
    """The same JSON as strict decoders accept it, with stand-ins for parts of characters. None for
    data that is no JSON at all, and for JSON without damage."""
    try:
        _parse(data)
    except STRICT_ERRORS:
        return _repair(data)
    return None


def _repair(data: bytes) -> bytes | None:
    text = data.decode("utf-8", "surrogateescape").translate(FROM_UNDECODABLE)
    try:
        return _encode(_replace(json.loads(text, strict=False)))
    except (ValueError, RecursionError):
        return None


def repair_whole(data: bytes) -> bytes | None:
    """``repair_json`` for JSON that nothing follows."""
    repaired = repair_json(data)
    return None if repaired is None else finish(repaired.decode()).encode()


def _replace(value: Any) -> Any:
    if isinstance(value, str):
        return value if SURROGATE.search(value) is None else value.translate(FROM_SURROGATE)
    if isinstance(value, list):
        return [_replace(item) for item in value]
    if isinstance(value, dict):
        return {_replace(name): _replace(item) for name, item in value.items()}
    return value


# --- Stand-ins ------------------------------------------------------------------------------------


def finish(text: str) -> str:
    """``text`` with its stand-ins joined."""
    return RUN.sub(lambda run: _join(run[0]), text)


def complete(text: str) -> tuple[str, str]:
    """``text`` with its stand-ins joined, and those at its end that may be the beginning of a
    character, which belong before the text that follows."""
    held = _beginning(text)
    return finish(text[: len(text) - held]), text[len(text) - held :]


def _beginning(text: str) -> int:
    """The number of stand-ins at the end that may be the beginning of a character."""
    if not text or ord(text[-1]) < SURROGATES:
        return 0
    if ord(text[-1]) < BYTES:
        return int(ord(text[-1]) in HIGH_SURROGATES)
    run = [found[0] for found in RUN.finditer(text[-LONGEST:])][-1]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(_bytes_of(run))
    return len(decoder.getstate()[0])


def _join(run: str) -> str:
    if ord(run[0]) < BYTES:
        units = b"".join((ord(one) - OFFSET).to_bytes(2, "little") for one in run)
        return units.decode("utf-16-le", "replace")
    data = _bytes_of(run)
    try:  # surrogates in the form of UTF-8, as Java writes them (Unicode Technical Report 26)
        return _join_units(data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return data.decode(errors="replace")


def _join_units(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _bytes_of(run: str) -> bytes:
    return bytes(ord(one) - BYTES for one in run)
