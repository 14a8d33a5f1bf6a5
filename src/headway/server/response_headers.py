"""Writes a ``ports.ResponseHeaders`` as HTTP header lines, each with CRLF (RFC 9112, section 5).

Both sinks use it. The framing headers (content-length, transfer-encoding, connection) and the
server's own (date, CORS) are added by the sink.
"""

from __future__ import annotations

from headway.ports import ResponseHeaders

_REQUEST = b"content-type: %b\r\nx-request-id: %b\r\n"
_ATTEMPT = b"x-headway-attempts: %d\r\nx-headway-latency-s: %.9f\r\n"
_TOKENS = b"x-headway-input-tokens: %d\r\nx-headway-output-tokens: %d\r\n"
_PRICED = _REQUEST + _ATTEMPT + _TOKENS + b"x-headway-cost-usd: %b\r\n"
_STREAM = (
    b"content-type: %b\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\nx-request-id: %b\r\n"
)
LONGEST_HEADER = 512
"""Characters of a transformation in words. Clients take 8 KiB or so of headers in all."""
PRINTABLE = bytes(c if 0x20 <= c < 0x7F else 0x20 for c in range(256))
"""Control characters as spaces."""


def response_lines(headers: ResponseHeaders) -> bytes:
    """The lines of a complete response. Unknown values have no header."""
    request_id = headers.request_id.encode()
    if headers.cost_usd is not None:  # mostly; the tokens that it was computed from are known too
        lines = _PRICED % (
            headers.content_type,
            request_id,
            headers.attempts,
            headers.latency_s,
            headers.input_tokens,
            headers.output_tokens,
            headers.cost_usd.encode(),
        )
    else:
        lines = _REQUEST % (headers.content_type, request_id) + _unpriced_lines(headers)
    if headers.id_header:
        lines += b"%b: %b\r\n" % (headers.id_header, request_id)
    if headers.transformations:
        for transformation in headers.transformations:
            lines += b"x-headway-transformation: %b\r\n" % _printable(str(transformation))
    return lines


def stream_lines(headers: ResponseHeaders) -> bytes:
    """The lines of a streamed response, which caches and proxies must not hold back."""
    request_id = headers.request_id.encode()
    lines = _STREAM % (headers.content_type, request_id)
    return lines + b"%b: %b\r\n" % (headers.id_header, request_id) if headers.id_header else lines


def _unpriced_lines(headers: ResponseHeaders) -> bytes:
    lines = b""
    if headers.attempts is not None:
        lines += _ATTEMPT % (headers.attempts, headers.latency_s)
    if headers.input_tokens is not None:
        lines += b"x-headway-input-tokens: %d\r\n" % headers.input_tokens
    if headers.output_tokens is not None:
        lines += b"x-headway-output-tokens: %d\r\n" % headers.output_tokens
    if headers.retry_after_s is not None:  # whole seconds, rounded up (RFC 9110, section 10.2.3)
        lines += b"retry-after: %d\r\n" % max(1, -(-headers.retry_after_s // 1))
    return lines


def _printable(text: str) -> bytes:
    """Fit for a header: the client's own words may be in it (RFC 9110, section 5.5)."""
    ascii_text = text[:LONGEST_HEADER].encode("ascii", "replace")
    return b" ".join(ascii_text.translate(PRINTABLE).split())
