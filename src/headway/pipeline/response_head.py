"""The header values of responses to clients: of a whole one, of a stream, and of an error.

A value that is unknown when the head is sent is None, and has no header.
"""

from __future__ import annotations

import json

from msgspec import to_builtins

from headway.dialects.base import JSON, Dialect, ResponseContext
from headway.errors import HeadwayError
from headway.pipeline import accounting
from headway.pipeline.accounting import AttemptResult, AttemptTotals, RequestFacts
from headway.pipeline.gateway import Upstream
from headway.ports import ResponseHeaders

LONGEST_MODEL = 256
"""Characters of a model's name in a header, where each may take six bytes."""


def describe_response(
    facts: RequestFacts, result: AttemptResult, totals: AttemptTotals
) -> ResponseHeaders:
    """The headers of a whole response, with its metrics."""
    usage, timing = result.usage, result.timing
    return ResponseHeaders(  # by position: keyword arguments take three times as long
        facts.id,
        JSON,
        result.upstream.name,
        result.summary.model or result.context.sent.model,
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
        _encode_metrics(facts, result, totals) if result.context.call.shows_metrics else None,
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
) -> ResponseHeaders:
    """The headers of a stream. ``attempts`` is None where another attempt may follow: then nothing
    of this one is said. ``model`` is the one that the provider named by now."""
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
    )


def describe_error(
    request_id: str,
    dialect: Dialect,
    error: HeadwayError,
    upstream: Upstream | None,
    attempts: int,
) -> ResponseHeaders:
    """The headers of an error response. They name the provider if an attempt was made."""
    was_tried = upstream is not None and attempts > 0
    return ResponseHeaders(
        request_id,
        provider=upstream.name if upstream is not None and was_tried else None,
        attempts=attempts if was_tried else None,
        retry_after_s=error.retry_after_s,
        id_header=dialect.id_header,
    )
