"""Limits and rules for the head of a request, and the errors for what breaks them."""

from __future__ import annotations

import logging

import httptools

from headway.errors import HeadwayError, RequestError
from headway.types import Headers

log = logging.getLogger("headway")

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's line and headers, or of its trailers."""
URL_LIMIT = 16 * 1024
HEADERS_LIMIT = 128

UPGRADE_HEADERS = (b"upgrade", b"http2-settings")
"""Headers of an offer to upgrade (RFC 9110, section 7.8; RFC 7540, section 3.2.1)."""


def check_framing(version: str, host_count: int, coding: bytes | None) -> None:
    """Raise RequestError for a request whose borders two servers could see differently: RFC 9112,
    sections 3.2 (one Host) and 6.1 (transfer codings), and versions other than 1.0 and 1.1."""
    if host_count != 1 and (host_count or version == "1.1"):
        raise RequestError("A request has one Host header (RFC 9112, section 3.2).")
    if version not in ("1.1", "1.0"):
        message = f"This server speaks HTTP/1.1, not HTTP/{version}."
        raise RequestError(message, status=505)
    if coding is not None and (coding != b"chunked" or version == "1.0"):
        message = "The one Transfer-Encoding taken is `chunked`, in HTTP/1.1."
        raise RequestError(message, status=501)


def check_size(url: bytes, headers: Headers) -> None:
    """Raise RequestError with status 431 if the head is over a limit."""
    size = len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
    if len(headers) > HEADERS_LIMIT or size > HEAD_LIMIT:
        raise head_too_large()


def without_upgrade(method: bytes, url: bytes, headers: Headers) -> bytes:
    """The same head, as bytes, without its offer to upgrade."""
    lines = [b"%b %b HTTP/1.1" % (method, url)]
    for name, value in headers:
        if name not in UPGRADE_HEADERS:
            kept = _without_upgrade_tokens(value) if name == b"connection" else value
            lines.append(b"%b: %b" % (name, kept))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _without_upgrade_tokens(connection: bytes) -> bytes:
    tokens = [token.strip() for token in connection.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in UPGRADE_HEADERS)


def parser_error(exc: httptools.HttpParserError) -> HeadwayError:
    """The error that a parser callback raised; or what the parser says is wrong, which describes
    the bytes and does not quote them."""
    cause = exc.__context__
    if isinstance(cause, HeadwayError):
        return cause
    if isinstance(exc, httptools.HttpParserCallbackError) and not isinstance(
        cause, httptools.HttpParserError
    ):
        log.error("a request failed on a defect of the gateway", exc_info=cause)
    return RequestError(f"This is no HTTP request that can be understood: {exc}.")


def head_too_large() -> RequestError:
    message = f"The headers are more than {HEAD_LIMIT} bytes or {HEADERS_LIMIT} lines."
    return RequestError(message, status=431)


def url_too_long() -> RequestError:
    return RequestError(f"The address is longer than {URL_LIMIT} bytes.", status=414)
