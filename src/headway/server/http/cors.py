"""Cross-origin requests: forbidden unless ``server.cors_origins`` allows them (the Fetch
standard)."""

from __future__ import annotations

from headway.types import Headers

PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-api-key, x-headway-metrics"),
    (b"access-control-max-age", b"86400"),
)
EXPOSED = (b"access-control-expose-headers", b"*")


def allow(origins: tuple[str, ...], headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers that allow a page of the request's origin to read the reply; none if it may
    not."""
    if not origins:
        return []
    for name, value in headers:
        if name == b"origin":
            if "*" in origins:
                return [(b"access-control-allow-origin", b"*"), EXPOSED]
            if value.decode("latin-1") in origins:
                vary = (b"vary", b"origin")
                return [(b"access-control-allow-origin", value), vary, EXPOSED]
    return []


def is_preflight(method: str, headers: Headers) -> bool:
    return method == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in headers
    )
