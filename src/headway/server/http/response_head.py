"""Status lines and header lines of HTTP/1.1 responses, as bytes."""

from __future__ import annotations

from http import HTTPStatus

from headway.types import Headers

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}


def status_line(status: int) -> bytes:
    """``status`` is from 100 to 599."""
    return _STATUS_LINES[status]


def header_lines(headers: Headers) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)
