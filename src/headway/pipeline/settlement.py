"""What an attempt came to: its tokens, its cost, its metrics, and the record of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.dialect import Context
from headway.errors import ClientGone, HeadwayError
from headway.metering.meter import Timing
from headway.metering.metrics import Cost, Metrics, TokensSource, measure
from headway.pipeline.flow import Flow
from headway.record import Outcome, Record, encode
from headway.types import Headers, Usage

if TYPE_CHECKING:
    from headway.pipeline.exchange import Exchange

NOTHING = Timing()
REQUEST_IDS = (b"x-request-id", b"request-id", b"x-amzn-requestid", b"apim-request-id")


class Settled(Struct, frozen=True):
    metrics: Metrics
    record: bytes
    """One line of JSON."""


async def settle(exchange: Exchange, flow: Flow | None, error: HeadwayError | None) -> Settled:
    """Waits only where tokens have to be counted, which a thread does."""
    usage, source = await _tokens(exchange, flow, error)
    timing = NOTHING if flow is None else flow.meter.timing()
    cost = _cost(exchange, usage)
    overhead = _overhead(exchange, timing)
    metrics = measure(timing, usage, source, cost, overhead, exchange.attempts)
    record = _record(exchange, flow, error, usage, timing, metrics, cost)
    return Settled(metrics, encode(record))


async def _tokens(
    exchange: Exchange, flow: Flow | None, error: HeadwayError | None
) -> tuple[Usage, TokensSource | None]:
    """Reported, else counted over the whole answer, else estimated over the part that arrived."""
    if flow is None:
        return Usage(), None
    usage = flow.answer.reported()
    if usage.input_tokens is not None and usage.output_tokens is not None:
        return usage, "reported"
    if not 200 <= flow.status < 300 or (error is not None and flow.answer.started is None):
        return usage, None
    call = exchange.call
    assert call is not None
    prompt, produced = await exchange.gateway.count(
        call.request.model, bytes(call.request.messages), flow.answer.produced()
    )
    if usage.input_tokens is None:
        usage = replace(usage, input_tokens=prompt)
    if usage.output_tokens is None:
        usage = replace(usage, output_tokens=produced)
    if prompt is None or produced is None:
        return usage, None
    return usage, "counted" if error is None else "estimated"


def _cost(exchange: Exchange, usage: Usage) -> Cost | None:
    upstream, call = exchange.upstream, exchange.call
    if upstream is None or call is None or usage.output_tokens is None:
        return None
    price = exchange.snapshot.prices.find(
        upstream.provider.price_id,
        call.request.model,
        exchange.gateway.wall(),
        provider=upstream.name,
    )
    return None if price is None else price.charge(usage)


def _overhead(exchange: Exchange, timing: Timing) -> float | None:
    """Ours: until the request was with the socket or the connector, and since the last byte."""
    if timing.latency_s is None or exchange.sent_after is None:
        return None
    return exchange.sent_after + exchange.gateway.clock() - exchange.started - timing.latency_s


def _record(
    exchange: Exchange,
    flow: Flow | None,
    error: HeadwayError | None,
    usage: Usage,
    timing: Timing,
    metrics: Metrics,
    cost: Cost | None,
) -> Record:
    gateway, call, upstream, context = (
        exchange.gateway, exchange.call, exchange.upstream, exchange.context,
    )  # fmt: skip
    now = gateway.wall()
    started = None if flow is None else flow.answer.started
    return Record(
        id=exchange.id if exchange.records == 0 else gateway.new_id(),
        request_id=exchange.id,
        timestamp=now,
        started=now - (gateway.clock() - exchange.started),
        route=exchange.dialect.route,
        dialect=exchange.dialect.name,
        outcome=_outcome(flow, error),
        attempt=exchange.attempts,
        attempts=exchange.attempts,
        provider=None if call is None else call.provider,
        kind=None if upstream is None else upstream.provider.name,
        model=None if call is None else call.request.model,
        deployment=None if started is None else started.model,
        stream=None if call is None else call.stream,
        session_id=None if call is None else call.session_id,
        key_id=exchange.key_id,
        status=_status(flow, error),
        error_type=None if error is None else error.type,
        error_code=None if error is None else error.code,
        error_message=None if error is None else error.message,
        finish_reason=None if flow is None else flow.answer.finish_reason,
        upstream_status=(flow.status or None) if flow is not None else None,
        upstream_request_id=None if flow is None else _request_id(flow.response_headers),
        transformations=_in_words(context),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
        tokens_source=metrics.tokens_source,
        cost_usd=None if cost is None else f"{cost.usd:f}",
        price_source=None if cost is None else cost.price.source,
        price_date=None if cost is None else cost.price.date,
        latency_s=timing.latency_s,
        time_to_first_byte_s=timing.time_to_first_byte_s,
        time_to_first_token_s=timing.time_to_first_token_s,
        time_to_sent_s=timing.time_to_sent_s,
        inter_token_latency_s=timing.inter_token_latency_s,
        inter_token_latency_p50_s=timing.inter_token_latency_p50_s,
        inter_token_latency_p95_s=timing.inter_token_latency_p95_s,
        inter_token_latency_max_s=timing.inter_token_latency_max_s,
        tokens_per_second=metrics.tokens_per_second,
        gateway_overhead_s=metrics.gateway_overhead_s,
        content_events=None if flow is None else flow.meter.content_events,
        request_bytes=len(exchange.inbound.body),
        response_bytes=None if flow is None else flow.written,
        upstream_request_bytes=None if flow is None else exchange.upstream_bytes,
        upstream_response_bytes=None if flow is None else flow.received,
    )


def _in_words(context: Context | None) -> tuple[str, ...]:
    return () if context is None else tuple(str(change) for change in context.transformations)


def _outcome(flow: Flow | None, error: HeadwayError | None) -> Outcome:
    if error is None:
        return "ok"
    if isinstance(error, ClientGone):
        return "cancelled"
    return "refused" if flow is None else "error"


def _status(flow: Flow | None, error: HeadwayError | None) -> int:
    if error is None or (flow is not None and flow.has_head):
        return 200
    return error.status


def _request_id(headers: Headers) -> str | None:
    for name, value in headers:
        if name in REQUEST_IDS:
            return value.decode("latin-1")
    return None


def headers(exchange: Exchange, metrics: Metrics) -> list[tuple[bytes, bytes]]:
    """What a whole answer in a dialect that has no room for metrics says of itself."""
    found = [(b"content-type", b"application/json"), (b"x-request-id", exchange.id.encode())]
    for name, value in _shown(metrics):
        if value is not None:
            found.append((name, b"%.12g" % value if isinstance(value, float) else b"%d" % value))
    if exchange.context is not None:
        found += [
            (b"x-headway-transformation", str(change).encode("ascii", "replace"))
            for change in exchange.context.transformations
        ]
    return found


def _shown(metrics: Metrics) -> tuple[tuple[bytes, float | int | None], ...]:
    return (
        (b"x-headway-input-tokens", metrics.input_tokens),
        (b"x-headway-output-tokens", metrics.output_tokens),
        (b"x-headway-cost-usd", metrics.cost_usd),
        (b"x-headway-latency-s", metrics.latency_s),
        (b"x-headway-attempts", metrics.attempts),
    )
