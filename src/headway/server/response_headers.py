"""Writes a ``ports.ResponseHeaders`` as HTTP header lines, each with CRLF (RFC 9112, section 5).

Both sinks use it. The framing headers (content-length, transfer-encoding, connection) and the
server's own (date, CORS) are added by the sink.
"""

from __future__ import annotations

from functools import lru_cache

from headway.ports import ResponseHeaders
from headway.types import Headers

LONGEST_HEADER = 512
"""Characters of a name or of a transformation. Clients take 8 KiB or so of headers in all."""
NOT_HELD_BACK = "cache-control: no-cache\r\nx-accel-buffering: no\r\n"
"""Of a stream, which caches and proxies must not hold back."""
PRINTABLE = bytes(c if 0x20 <= c < 0x7F else 0x20 for c in range(256))
"""Control characters as spaces."""


def response_lines(headers: ResponseHeaders) -> bytes:
    """The lines of a complete response. Unknown values have no header."""
    latency_s, overhead_s = headers.latency_s, headers.overhead_s
    first_s, provider, model = headers.time_to_first_token_s, headers.provider, headers.model
    if (  # mostly
        headers.cost_usd is not None
        and headers.input_tokens is not None
        and headers.output_tokens is not None
        and latency_s is not None
        and overhead_s is not None
        and first_s is not None
        and provider is not None
        and model is not None
    ):
        overhead, first = f"{overhead_s * 1e3:.3f}", f"{first_s * 1e3:.3f}"
        lines = (
            f"content-type: {headers.content_type.decode()}\r\n"
            f"x-request-id: {headers.request_id}\r\n"
            f"x-headway-provider: {_text(provider)}\r\n"
            f"x-headway-model: {_text(model)}\r\n"
            f"x-headway-attempts: {headers.attempts}\r\n"
            f"x-headway-latency-ms: {latency_s * 1e3:.3f}\r\n"
            f"x-headway-overhead-ms: {overhead}\r\n"
            f"x-headway-ttft-ms: {first}\r\n"
            f"x-headway-input-tokens: {headers.input_tokens}\r\n"
            f"x-headway-output-tokens: {headers.output_tokens}\r\n"
            f"x-headway-cost-usd: {headers.cost_usd}\r\n"
            f"server-timing: upstream;dur={max(latency_s - overhead_s, 0.0) * 1e3:.3f}, "
            f"gateway;dur={overhead}, ttft;dur={first}\r\n"
        )
    else:
        lines = _request_lines(headers) + _known_lines(headers)
    if headers.transformations or headers.id_header or headers.metrics or headers.further:
        lines += _further_lines(headers)
    if headers.lines:
        lines += headers.lines
    return lines.encode()


def stream_lines(headers: ResponseHeaders) -> bytes:
    """The lines of a streamed response."""
    lines = _request_lines(headers) + NOT_HELD_BACK + _known_lines(headers)
    return (lines + _further_lines(headers) + headers.lines).encode()


def _request_lines(headers: ResponseHeaders) -> str:
    content_type = headers.content_type.decode()
    return f"content-type: {content_type}\r\nx-request-id: {headers.request_id}\r\n"


def _known_lines(headers: ResponseHeaders) -> str:
    named = (
        ("x-headway-provider", _known_text(headers.provider)),
        ("x-headway-model", _known_text(headers.model)),
        ("x-headway-attempts", headers.attempts),
        ("x-headway-latency-ms", _milliseconds(headers.latency_s)),
        ("x-headway-overhead-ms", _milliseconds(headers.overhead_s)),
        ("x-headway-ttft-ms", _milliseconds(headers.time_to_first_token_s)),
        ("x-headway-input-tokens", headers.input_tokens),
        ("x-headway-output-tokens", headers.output_tokens),
        ("x-headway-cost-usd", headers.cost_usd),
        ("server-timing", _server_timing(headers)),
        ("retry-after", _whole_seconds(headers.retry_after_s)),
    )
    return "".join(f"{name}: {value}\r\n" for name, value in named if value is not None)


def _server_timing(headers: ResponseHeaders) -> str | None:
    """Durations in milliseconds, for the tools of browsers (W3C Server Timing, section 2)."""
    latency_s, overhead_s = headers.latency_s, headers.overhead_s
    is_split = latency_s is not None and overhead_s is not None
    upstream_s = max(latency_s - overhead_s, 0.0) if is_split else None  # type: ignore[operator]
    durations = (
        ("upstream", _milliseconds(upstream_s)),
        ("gateway", _milliseconds(overhead_s)),
        ("ttft", _milliseconds(headers.time_to_first_token_s)),
    )
    known = [f"{name};dur={value}" for name, value in durations if value is not None]
    return ", ".join(known) or None


def _further_lines(headers: ResponseHeaders) -> str:
    lines = f"{headers.id_header.decode()}: {headers.request_id}\r\n" if headers.id_header else ""
    if headers.metrics is not None:
        lines += f"x-headway-metrics: {headers.metrics}\r\n"
    if headers.further:
        lines += _lines_of(headers.further)
    for transformation in headers.transformations:
        lines += f"x-headway-transformations: {_printable(str(transformation))}\r\n"
    return lines


def _lines_of(headers: Headers) -> str:
    """The provider's own values may be among them."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if lines.isascii() and lines.count(b"\r") == lines.count(b"\n") == len(headers):
        return lines.decode()
    fit = ((name, _printable(value.decode("latin-1"))) for name, value in headers)
    return "".join(f"{name.decode()}: {value}\r\n" for name, value in fit)


def _milliseconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds * 1e3:.3f}"


def _whole_seconds(seconds: float | None) -> int | None:
    """Rounded up, and never zero (RFC 9110, section 10.2.3)."""
    return None if seconds is None else max(1, int(-(-seconds // 1)))


def _known_text(text: str | None) -> str | None:
    return None if text is None else _text(text)


@lru_cache(maxsize=256)
def _text(text: str) -> str:
    is_fit = text.isascii() and text.isprintable() and len(text) <= LONGEST_HEADER
    return text if is_fit else _printable(text)


def _printable(text: str) -> str:
    """Fit for a header: the client's own words may be in it (RFC 9110, section 5.5)."""
    ascii_text = text[:LONGEST_HEADER].encode("ascii", "replace")
    return b" ".join(ascii_text.translate(PRINTABLE).split()).decode()
