"""What an attempt came to: its tokens, its cost, its metrics, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.dialect import Context
from headway.errors import ClientGone, HeadwayError
from headway.metering.meter import Timing
from headway.metering.metrics import Cost, Metrics, TokensSource, measure
from headway.pipeline.flow import Flow
from headway.pipeline.operations import prompt_of
from headway.record import Outcome, Record, encode
from headway.types import Headers, Usage

if TYPE_CHECKING:
    from headway.pipeline.exchange import Exchange

NOTHING = Timing()
BYTES_A_TOKEN = 4
"""Of English text, about."""
STANDARD: Mapping[str, str] = {}
STANDARD_TIERS = ("default", "standard", "auto")
REQUEST_IDS = (b"x-request-id", b"request-id", b"x-amzn-requestid", b"apim-request-id")


class Settled(Struct, frozen=True):
    """One attempt's sums."""

    usage: Usage
    source: TokensSource | None
    timing: Timing
    cost: Cost | None
    overhead: float | None
    attempts: int

    def metrics(self) -> Metrics:
        return measure(
            self.timing, self.usage, self.source, self.cost, self.overhead, self.attempts
        )


async def settle(exchange: Exchange, flow: Flow | None, error: HeadwayError | None) -> Settled:
    """Waits only where tokens have to be counted, which another process does."""
    if flow is None:
        return Settled(Usage(), None, NOTHING, None, None, exchange.attempts)
    usage = flow.answer.reported()
    source: TokensSource | None = "reported"
    if usage.input_tokens is None or usage.output_tokens is None:
        usage, source = await _count(exchange, flow, error, usage)
    timing = flow.meter.timing()
    cost = _cost(exchange, flow, usage)
    return Settled(usage, source, timing, cost, _overhead(exchange, timing), exchange.attempts)


async def _count(
    exchange: Exchange, flow: Flow, error: HeadwayError | None, usage: Usage
) -> tuple[Usage, TokensSource | None]:
    """What was not reported: counted over the whole answer, or estimated over what arrived."""
    if isinstance(error, ClientGone):
        is_empty = flow.answer.started is None  # it had begun, so it may well have been billed
    else:
        is_empty = flow.meter.content_events == 0
    if not 200 <= flow.status < 300 or (error is not None and is_empty):
        return usage, None
    call = exchange.call
    assert call is not None
    prompt, produced = await exchange.gateway.count(
        call.request.model, prompt_of(call.request), flow.answer.produced()
    )
    if usage.input_tokens is None:
        usage = replace(usage, input_tokens=prompt)
    if usage.output_tokens is None:
        usage = replace(usage, output_tokens=produced)
    if error is None:
        return usage, None if prompt is None or produced is None else "counted"
    return _roughly(usage, exchange, flow), "estimated"


def _roughly(usage: Usage, exchange: Exchange, flow: Flow) -> Usage:
    """For a part of an answer that nobody had time to count, a rule of thumb is better than
    nothing: somebody is billed for it."""
    call = exchange.call
    assert call is not None
    if usage.input_tokens is None:
        usage = replace(usage, input_tokens=len(prompt_of(call.request)) // BYTES_A_TOKEN)
    if usage.output_tokens is None:
        usage = replace(usage, output_tokens=len(flow.answer.produced()) // BYTES_A_TOKEN)
    return usage


def _cost(exchange: Exchange, flow: Flow, usage: Usage) -> Cost | None:
    upstream, call = exchange.upstream, exchange.call
    if upstream is None or call is None or usage.output_tokens is None:
        return None
    price = exchange.snapshot.prices.find(
        upstream.provider.price_id,
        call.request.model,
        exchange.gateway.wall(),
        provider=upstream.name,
        context=_variant(flow),
    )
    return None if price is None else price.charge(usage)


def _variant(flow: Flow) -> Mapping[str, str]:
    """Other service tiers have other prices."""
    started = flow.answer.started
    tier = None if started is None else started.service_tier
    return STANDARD if tier is None or tier in STANDARD_TIERS else {"service_tier": tier}


def _overhead(exchange: Exchange, timing: Timing) -> float | None:
    """Ours: until the request was with the socket or the connector, and since the last byte."""
    if timing.latency_s is None or exchange.ours is None:
        return None
    return exchange.ours + exchange.gateway.clock() - exchange.started - timing.latency_s


def record(
    exchange: Exchange, flow: Flow | None, error: HeadwayError | None, settled: Settled
) -> bytes:
    """One line of JSON."""
    if flow is None:
        assert error is not None
        return encode(_refused(exchange, error))
    answered = _attempted(exchange, flow, settled)
    return encode(answered if error is None else _failed(answered, flow, error))


def _attempted(exchange: Exchange, flow: Flow, settled: Settled) -> Record:
    gateway, call, upstream = exchange.gateway, exchange.call, exchange.upstream
    assert call is not None
    assert upstream is not None
    answer, timing, usage, cost = flow.answer, settled.timing, settled.usage, settled.cost
    started, now = answer.started, gateway.wall()
    price = None if cost is None else cost.price
    output, latency = usage.output_tokens, timing.latency_s
    return Record(
        id=exchange.id if exchange.records == 0 else gateway.new_id(), request_id=exchange.id,
        timestamp=now, started=now - (gateway.clock() - exchange.started),
        route=exchange.dialect.route, dialect=exchange.dialect.name, outcome="ok",
        attempt=settled.attempts, attempts=settled.attempts,
        provider=call.provider, kind=upstream.provider.name, model=call.request.model,
        deployment=None if started is None else started.model,
        stream=call.stream, session_id=call.session_id, key_id=exchange.key_id,
        status=200, finish_reason=answer.finish_reason,
        upstream_status=flow.status or None,
        upstream_request_id=_request_id(flow.response_headers),
        transformations=_in_words(exchange.context),
        input_tokens=usage.input_tokens, output_tokens=output,
        cache_read_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        reasoning_tokens=usage.reasoning_tokens, input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens, tokens_source=settled.source,
        cost_usd=None if cost is None else f"{cost.usd:f}",
        price_source=None if price is None else price.source,
        price_date=None if price is None else price.date,
        latency_s=latency, time_to_first_byte_s=timing.time_to_first_byte_s,
        time_to_first_token_s=timing.time_to_first_token_s, time_to_sent_s=timing.time_to_sent_s,
        inter_token_latency_s=timing.inter_token_latency_s,
        inter_token_latency_p50_s=timing.inter_token_latency_p50_s,
        inter_token_latency_p95_s=timing.inter_token_latency_p95_s,
        inter_token_latency_max_s=timing.inter_token_latency_max_s,
        tokens_per_second=output / latency if output is not None and latency else None,
        gateway_overhead_s=settled.overhead, content_events=flow.meter.content_events,
        request_bytes=len(exchange.inbound.body), response_bytes=flow.written,
        upstream_request_bytes=exchange.upstream_bytes, upstream_response_bytes=flow.received,
    )  # fmt: skip


def _failed(answered: Record, flow: Flow, error: HeadwayError) -> Record:
    return replace(
        answered,
        outcome="cancelled" if isinstance(error, ClientGone) else "error",
        status=200 if flow.has_head else error.status,
        error_type=error.type,
        error_code=error.code,
        error_message=error.message,
    )


def _refused(exchange: Exchange, error: HeadwayError) -> Record:
    """No provider was asked, or none once more."""
    gateway, call, upstream = exchange.gateway, exchange.call, exchange.upstream
    now = gateway.wall()
    refused = Record(
        id=exchange.id if exchange.records == 0 else gateway.new_id(),
        request_id=exchange.id,
        timestamp=now,
        started=now - (gateway.clock() - exchange.started),
        route=exchange.dialect.route,
        dialect=exchange.dialect.name,
        outcome="cancelled" if isinstance(error, ClientGone) else "refused",
        attempt=0,
        attempts=exchange.attempts,
        kind=None if upstream is None else upstream.provider.name,
        key_id=exchange.key_id,
        status=error.status,
        error_type=error.type,
        error_code=error.code,
        error_message=error.message,
        request_bytes=len(exchange.inbound.body),
    )
    if call is None:
        return refused
    return replace(
        refused,
        provider=call.provider,
        model=call.request.model,
        stream=call.stream,
        session_id=call.session_id,
    )


def _in_words(context: Context | None) -> tuple[str, ...]:
    if context is None or not context.transformations:
        return ()
    return tuple(str(change) for change in context.transformations)


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
    found = dict(headers)
    for name in REQUEST_IDS:
        if name in found:
            return found[name].decode("latin-1")
    return None


HEAD = (
    b"content-type: application/json\r\nx-request-id: %b\r\nx-headway-latency-s: %.9f\r\n"
    b"x-headway-attempts: %d\r\n"
)
LONGEST_HEADER = 512
"""Characters of a transformation in words. Clients take 8 KiB or so of headers in all."""
PRINTABLE = bytes(c if 0x20 <= c < 0x7F else 0x20 for c in range(256))
"""Control characters as spaces."""


def head(exchange: Exchange, settled: Settled) -> bytes:
    """What a whole answer says of itself, also in a dialect that has no room for metrics."""
    usage, cost, context = settled.usage, settled.cost, exchange.context
    lines = HEAD % (exchange.id.encode(), settled.timing.latency_s or 0.0, settled.attempts)
    if usage.input_tokens is not None:
        lines += b"x-headway-input-tokens: %d\r\n" % usage.input_tokens
    if usage.output_tokens is not None:
        lines += b"x-headway-output-tokens: %d\r\n" % usage.output_tokens
    if cost is not None:
        lines += b"x-headway-cost-usd: %b\r\n" % f"{cost.usd:f}".encode()
    if context is not None and context.transformations:
        for change in context.transformations:
            lines += b"x-headway-transformation: %b\r\n" % _ascii(str(change))
    return lines


def _ascii(text: str) -> bytes:
    """Fit for a header: the caller's own words may be in it (RFC 9110, section 5.5)."""
    plain = text[:LONGEST_HEADER].encode("ascii", "replace")
    return b" ".join(plain.translate(PRINTABLE).split())
