"""Cross-origin requests: forbidden unless ``server.cors_origins`` allows them (the Fetch
standard)."""

from __future__ import annotations

import re

from headway.types import Headers

HEADER_NAMES = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*"
)
"""A list of header names (RFC 9110, section 5.6.2)."""
HEADER_NAMES_LIMIT = 4096
"""Bytes."""
EXPOSED = (b"access-control-expose-headers", b"*")
TIMING = b"timing-allow-origin"
"""Lets the page see ``server-timing`` (W3C Resource Timing, section 3.5.1)."""


def allow(origins: tuple[str, ...], headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers that allow a page of the request's origin to read the reply; none if it may
    not."""
    if not origins:
        return []
    for name, value in headers:
        if name == b"origin":
            if "*" in origins:
                return [(b"access-control-allow-origin", b"*"), EXPOSED, (TIMING, b"*")]
            if value.decode("latin-1") in origins:
                vary = (b"vary", b"origin")
                return [(b"access-control-allow-origin", value), vary, EXPOSED, (TIMING, value)]
    return []


def preflight_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """What an allowed page may send: every header that it asks for, because SDKs send headers of
    their own (``x-stainless-*``, ``traceparent``). A browser takes ``*`` for all but
    ``authorization``."""
    asked = dict(headers).get(b"access-control-request-headers", b"").strip(b" \t")
    is_list = len(asked) <= HEADER_NAMES_LIMIT and HEADER_NAMES.fullmatch(asked) is not None
    return [
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        *([(b"access-control-allow-headers", asked)] if is_list else []),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"access-control-request-headers"),
    ]


def is_preflight(method: str, headers: Headers) -> bool:
    return method == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in headers
    )
