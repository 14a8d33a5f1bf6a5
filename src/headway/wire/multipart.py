"""Find the parts of a ``multipart/form-data`` body (RFC 7578; its framing: RFC 2046, section 5.1).

Positions are returned and no bytes are changed, so that one value can be replaced and all others
stay as they are. The reader is strict: what another reader could split differently raises
ValueError, because a gateway and a provider that see different fields would be a way around the
gateway.
"""

from __future__ import annotations

import re

from msgspec import Struct

MAX_PARTS = 1000
MAX_HEADERS = 8 * 1024
"""Bytes of the headers of one part."""
MAX_LINES = 20
"""Headers of one part, and parameters of one header."""
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*({_WORD})[ \t]*=[ \t]*({_WORD}|{_QUOTED})")
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_ESCAPED = re.compile(r'\\([\\"])')
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
IDENTITY = ("7bit", "8bit", "binary")
"""Transfer encodings under which the bytes of a part are its value (RFC 2045, section 6.2)."""
FORM_DATA = "multipart/form-data"


class Part(Struct, frozen=True, gc=False):
    """One field or file. Its value is ``body[start:end]``."""

    name: str
    start: int
    end: int
    is_file: bool
    """It has a file name."""


def media_type(content_type: str) -> str:
    """The type of a Content-Type header, in lower case, without its parameters."""
    return content_type.partition(";")[0].strip(" \t").lower()


def find_boundary(content_type: str) -> bytes:
    """The boundary that a Content-Type header names. Raises ValueError."""
    boundaries = _parameters(content_type).get("boundary", [])
    if len(boundaries) != 1:
        raise ValueError("its content-type header must name one boundary")
    boundary = boundaries[0].encode()
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("the boundary has over 70 characters, or one that is not allowed")
    return boundary


def find_parts(body: bytes, boundary: bytes) -> list[Part]:
    """The parts in their order. Raises ValueError, whose message completes "the form is malformed:
    "."""
    line = b"--" + boundary
    delimiter = b"\r\n" + line
    at = 0 if body.startswith(line) else body.find(delimiter) + 2
    if at == 1:
        raise ValueError("its boundary is nowhere in it")
    parts: list[Part] = []
    while True:
        at = _end_of_delimiter(body, at + len(line))
        if at < 0:
            return parts
        if len(parts) == MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS} parts")
        name, is_file, start = _read_headers(body, at, len(parts) + 1)
        if body.startswith(line, start):  # some readers take it for the end of an empty value
            raise ValueError(f"the value of part {len(parts) + 1} begins with the boundary")
        end = body.find(delimiter, start)
        if end < 0:
            raise ValueError(f"part {len(parts) + 1} has no end")
        parts.append(Part(name, start, end, is_file))
        at = end + 2


def _end_of_delimiter(body: bytes, at: int) -> int:
    """The position behind the line of a delimiter, whose boundary ends at ``at``; -1 for the last
    one."""
    if body[at : at + 2] == b"--":
        return -1
    while body[at : at + 1] in (b" ", b"\t"):
        at += 1
    if body[at : at + 2] != b"\r\n":
        raise ValueError("a line begins with the boundary, and goes on")
    return at + 2


def _read_headers(body: bytes, at: int, number: int) -> tuple[str, bool, int]:
    """The name of the part, whether it is a file, and the position of its value."""
    end = body.find(b"\r\n\r\n", at, at + MAX_HEADERS)
    if end < 0:
        raise ValueError(f"the headers of part {number} have no end, or over {MAX_HEADERS} bytes")
    headers: dict[str, str] = {}
    lines = body[at:end].split(b"\r\n", MAX_LINES)
    if len(lines) > MAX_LINES:
        raise ValueError(f"part {number} has more than {MAX_LINES} headers")
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise ValueError(f"part {number} has a header that is none")
        name = found[1].decode().lower()
        if name in headers:
            raise ValueError(f"part {number} has the header {name} twice")
        headers[name] = _text(found[2], number)
    return *_read_disposition(headers, number), end + 4


def _read_disposition(headers: dict[str, str], number: int) -> tuple[str, bool]:
    """RFC 7578, section 4.2: the disposition is form-data, with the name of the field."""
    disposition = headers.get("content-disposition", "")
    parameters = _parameters(disposition)
    names, files = parameters.get("name", []), parameters.get("filename", [])
    if media_type(disposition) != "form-data" or len(names) != 1:
        raise ValueError(f"part {number} must have a content-disposition with the field's name")
    if len(files) > 1:
        raise ValueError(f"part {number} has two file names")
    encoding = headers.get("content-transfer-encoding", "binary").strip(" \t").lower()
    if encoding not in IDENTITY:
        raise ValueError(f"part {number} has the transfer encoding {encoding}: send it as it is")
    return names[0], bool(files) or "filename*" in parameters


def _parameters(header: str) -> dict[str, list[str]]:
    """The parameters of a header's value by their names in lower case (RFC 2045, section 5.1).
    Raises ValueError for what is none."""
    at = len(header.partition(";")[0])
    found: dict[str, list[str]] = {}
    while header[at:].strip(" \t;"):
        match = _PARAMETER.match(header, at)
        if match is None or sum(map(len, found.values())) == MAX_LINES:
            raise ValueError("a header has a parameter that is none, or too many")
        found.setdefault(match[1].lower(), []).append(_unquoted(match[2]))
        at = match.end()
    return found


def _unquoted(value: str) -> str:
    """Browsers write a quote in a name as ``%22`` (WHATWG HTML, section 4.10.21.8); nobody's field
    here has one, so that it stays as it is."""
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _text(value: bytes, number: int) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"the headers of part {number} are not UTF-8") from None
