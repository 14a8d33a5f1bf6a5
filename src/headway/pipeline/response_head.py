"""The header values of responses to clients: of a whole one, of a stream, and of an error.

A value that is unknown when the head is sent is None, and has no header.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from msgspec import to_builtins

from headway.dialects.base import JSON, ResponseContext
from headway.errors import HeadwayError, RequestError, UpstreamError
from headway.pipeline import accounting
from headway.pipeline.accounting import AttemptResult, AttemptTotals, RequestFacts
from headway.pipeline.attempt_origin import AttemptOrigin
from headway.pipeline.gateway import Upstream
from headway.ports import ResponseHeaders
from headway.providers.rate_limits import read_rate_limits, select_rate_limits
from headway.types import Headers, RelayedRequest

OCTETS = b"application/octet-stream"
PRINTABLE = re.compile(rb"[\x20-\x7e]+")

UpstreamHeaders = Mapping[bytes, bytes]
RETRY_AFTER, SHOULD_RETRY = b"retry-after", b"x-should-retry"
SWITCHES = (b"false", b"true")
RETRIED_STATUSES = (408, 409, 429)
"""Statuses below 500 after which SDKs try again."""
LONGEST_MODEL = 256
"""Characters of a model's name in a header, where each may take six bytes."""


def relayed_type(headers: UpstreamHeaders) -> bytes:
    """The content type of a response that is passed on, from the provider's headers."""
    content_type = headers.get(b"content-type", b"")
    return content_type if PRINTABLE.fullmatch(content_type) else OCTETS


def describe_response(
    facts: RequestFacts, result: AttemptResult, totals: AttemptTotals
) -> ResponseHeaders:
    """The headers of a whole response, with its metrics."""
    usage, timing, content_type = result.usage, result.timing, JSON
    context, upstream, headers = result.context, result.upstream, result.response_headers
    if type(context.sent) is RelayedRequest:
        content_type = relayed_type(headers)
    further = context.headers
    if not upstream.provider.rate_limits.names.isdisjoint(headers):
        further = (*further, *_rate_limits(context, upstream, headers, facts.now))
    origin = result.origin
    return ResponseHeaders(  # by position: keyword arguments take three times as long
        facts.id,
        content_type,
        upstream.name,
        result.summary.model or context.sent.model,
        facts.attempts,
        timing.latency_s,
        totals.overhead_s,
        timing.time_to_first_token_s,
        usage.input_tokens,
        usage.output_tokens,
        totals.cost_usd,
        result.transformations,
        None,
        facts.dialect.id_header,
        _encode_metrics(facts, result, totals) if context.call.shows_metrics else None,
        further,
        "" if origin is None else origin.header_lines,
    )


def _encode_metrics(facts: RequestFacts, result: AttemptResult, totals: AttemptTotals) -> str:
    """The ``metrics`` object as a header's value: JSON in ASCII."""
    found = to_builtins(accounting.metrics(facts, result, totals))
    for name in ("model", "deployment"):
        found[name] = found[name] and found[name][:LONGEST_MODEL]
    return json.dumps(found, separators=(",", ":"))


def describe_stream(
    context: ResponseContext,
    content_type: bytes,
    upstream: Upstream,
    model: str | None,
    attempts: int | None,
    time_to_first_token_s: float | None,
    upstream_headers: UpstreamHeaders,
    now: float,
    origin: AttemptOrigin | None = None,
) -> ResponseHeaders:
    """The headers of a stream. ``attempts`` is None where another attempt may follow: then nothing
    of this one is said. ``model`` is the one that the provider named by now, which is in unix
    seconds."""
    if attempts is None:
        return ResponseHeaders(context.request_id, content_type, id_header=context.id_header)
    return ResponseHeaders(
        context.request_id,
        content_type,
        upstream.name,
        model,
        attempts,
        time_to_first_token_s=time_to_first_token_s,
        transformations=context.transformations,
        id_header=context.id_header,
        further=(*context.headers, *_rate_limits(context, upstream, upstream_headers, now)),
        lines="" if origin is None else origin.header_lines,
    )


def describe_error(
    facts: RequestFacts, error: HeadwayError, status: int, result: AttemptResult | None
) -> ResponseHeaders:
    """The headers of an error response. They name the provider if an attempt was made. ``result``
    is that of the attempt which ended with ``error``."""
    upstream, was_tried = facts.upstream, facts.attempts > 0
    return ResponseHeaders(
        facts.id,
        provider=upstream.name if upstream is not None and was_tried else None,
        attempts=facts.attempts if was_tried else None,
        retry_after_s=error.retry_after_s,
        id_header=facts.dialect.id_header,
        further=(*_retry_headers(error, status, result), *_limits_of(facts, result)),
        lines="" if result is None or result.origin is None else result.origin.header_lines,
    )


def _limits_of(facts: RequestFacts, result: AttemptResult | None) -> Headers:
    if result is None:
        return ()
    return _rate_limits(result.context, result.upstream, result.response_headers, facts.now)


def _rate_limits(
    context: ResponseContext, upstream: Upstream, headers: UpstreamHeaders, now: float
) -> Headers:
    """The provider's rate limits: as they are for a client of its wire format, else in the names of
    the client's."""
    known = upstream.provider.rate_limits
    if known.names.isdisjoint(headers):
        return ()
    if context.is_passthrough:
        return select_rate_limits(known, headers)
    return context.write_rate_limits(read_rate_limits(known, headers, now), now)


def _retry_headers(
    error: HeadwayError, status: int, result: AttemptResult | None
) -> list[tuple[bytes, bytes]]:
    """What the SDKs of OpenAI and Anthropic read besides ``retry-after`` (openai-python,
    ``_base_client.py``): ``retry-after-ms``, more exact, and ``x-should-retry`` where the provider
    sent it, or where the status alone would lead them astray."""
    headers = {} if result is None else result.response_headers
    found = []
    wait_s = error.retry_after_s
    if wait_s is None and headers.get(RETRY_AFTER, b"").endswith(b"GMT"):  # a date, RFC 9110 5.6.7
        found.append((RETRY_AFTER, headers[RETRY_AFTER]))
    if wait_s is not None and wait_s % 1:
        found.append((b"retry-after-ms", b"%d" % math.ceil(wait_s * 1e3)))
    advice = headers.get(SHOULD_RETRY, b"")
    is_retried = status in RETRIED_STATUSES or status >= 500
    if advice in SWITCHES:
        found.append((SHOULD_RETRY, advice))
    elif isinstance(error, UpstreamError | RequestError) and is_retried != error.retryable:
        found.append((SHOULD_RETRY, SWITCHES[error.retryable]))
    return found
