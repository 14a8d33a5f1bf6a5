"""What an attempt came to: its tokens, its cost, its metrics, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.base import JSON
from headway.errors import ClientGone, HeadwayError
from headway.metering.metrics import Cost, Metrics, TokensSource, measure
from headway.metering.price import Price
from headway.metering.timing import Timing
from headway.pipeline.attempt import Attempt
from headway.pipeline.provider_calls import prompt_of
from headway.ports import ResponseHeaders
from headway.record import Asked, Came, begin, end
from headway.types import Summary, Usage

if TYPE_CHECKING:
    from headway.pipeline.call import GatewayCall

NOTHING = Timing()
UNKNOWN = Usage()
BYTES_A_TOKEN = 4
"""Of English text, about."""
STANDARD: Mapping[str, str] = {}
STANDARD_TIERS = (None, "default", "standard", "auto")
REQUEST_IDS = (b"x-request-id", b"request-id", b"x-amzn-requestid", b"apim-request-id")
ANY_REQUEST_ID = frozenset(REQUEST_IDS)


class Settled(Struct, frozen=True, gc=False):
    """One attempt's sums."""

    summary: Summary
    usage: Usage
    source: TokensSource | None
    timing: Timing
    cost: Cost | None
    usd: str | None
    """The cost in digits."""
    overhead: float | None
    attempts: int
    began: float
    now: float
    """Unix seconds when the request was read whole, and when this was reckoned."""

    def metrics(self) -> Metrics:
        return measure(
            self.timing, self.usage, self.source, self.cost, self.overhead, self.attempts
        )


def settle_uncounted(
    exchange: GatewayCall, flow: Attempt, error: HeadwayError | None
) -> Settled | None:
    """Where no tokens must be counted: the provider has reported all, as nearly all do, or nothing
    of an answer came. Else None."""
    if not flow.begun:
        prepare(exchange, flow)
    summary = flow.summary()
    usage = summary.usage
    if usage.input_tokens is not None and usage.output_tokens is not None:
        return _settle(exchange, flow, summary, usage, "reported")
    if not _has_answer(flow, error):
        return _settle(exchange, flow, summary, usage, None)
    return None


async def settle(exchange: GatewayCall, flow: Attempt, error: HeadwayError | None) -> Settled:
    """Waits only where tokens have to be counted, which another process does."""
    settled = settle_uncounted(exchange, flow, error)
    if settled is not None:
        return settled
    summary = flow.summary()
    usage, source = await _count(exchange, flow, error, summary.usage)
    return _settle(exchange, flow, summary, usage, source)


def _settle(
    exchange: GatewayCall,
    flow: Attempt,
    summary: Summary,
    usage: Usage,
    source: TokensSource | None,
) -> Settled:
    timing, ours = flow.timing(), exchange.ours
    unix_time, clock = exchange.gateway.unix_time, exchange.gateway.clock
    now, latency, overhead = unix_time(), timing.latency_s, None
    elapsed = clock() - exchange.started
    if latency is not None and ours is not None:
        # Ours: until the request was with the socket or the connector, and since the last byte.
        overhead = ours + elapsed - latency
    tier = summary.service_tier
    price = flow.price if tier in STANDARD_TIERS else _price(exchange, tier)
    cost = None if price is None else price.charge(usage)
    usd = None if cost is None else f"{cost.usd:f}"
    return Settled(
        summary, usage, source, timing, cost, usd, overhead, exchange.attempts, now - elapsed, now
    )


def _has_answer(flow: Attempt, error: HeadwayError | None) -> bool:
    """Whether anything came that somebody may be billed for."""
    if not 200 <= flow.status < 300:
        return False
    if isinstance(error, ClientGone):
        return flow.answer.started is not None  # it had begun, so it may well have been billed
    return error is None or len(flow.arrivals) > 0


async def _count(
    exchange: GatewayCall, flow: Attempt, error: HeadwayError | None, usage: Usage
) -> tuple[Usage, TokensSource | None]:
    """What was not reported: counted over the whole answer, or estimated over what arrived."""
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


def _roughly(usage: Usage, exchange: GatewayCall, flow: Attempt) -> Usage:
    """For a part of an answer that nobody had time to count, a rule of thumb is better than
    nothing: somebody is billed for it."""
    call = exchange.call
    assert call is not None
    if usage.input_tokens is None:
        usage = replace(usage, input_tokens=len(prompt_of(call.request)) // BYTES_A_TOKEN)
    if usage.output_tokens is None:
        usage = replace(usage, output_tokens=len(flow.answer.produced()) // BYTES_A_TOKEN)
    return usage


def _price(exchange: GatewayCall, tier: str | None) -> Price | None:
    """Other service tiers than the standard one have other prices."""
    upstream, context = exchange.upstream, exchange.context
    assert upstream is not None
    assert context is not None
    return exchange.snapshot.prices.find(
        upstream.provider.price_id,
        context.call.request.model,
        context.created,
        provider=upstream.name,
        context=STANDARD if tier is None else {"service_tier": tier},
    )


def prepare(exchange: GatewayCall, flow: Attempt) -> None:
    """What does not depend on the answer is done while the provider is at work on it."""
    flow.begun = begin(_asked(exchange, exchange.attempts))
    flow.price = _price(exchange, None)


def _asked(exchange: GatewayCall, attempt: int) -> Asked:
    call, upstream, context = exchange.call, exchange.upstream, exchange.context
    dialect, request_id = exchange.dialect, exchange.id
    changes = () if context is None else context.transformations
    return Asked(
        id=exchange.gateway.new_id() if exchange.records else request_id,
        request_id=request_id,
        route=dialect.route,
        dialect=dialect.name,
        attempt=attempt,
        attempts=exchange.attempts,
        provider=None if call is None else call.provider,
        kind=None if upstream is None else upstream.provider.name,
        model=None if call is None else call.request.model,
        stream=None if call is None else call.stream,
        session_id=None if call is None else call.session_id,
        key_id=exchange.key_id,
        transformations=tuple(map(str, changes)) if attempt and changes else (),
        request_bytes=len(exchange.inbound.body),
        upstream_request_bytes=exchange.upstream_bytes if attempt else None,
    )


def record(
    exchange: GatewayCall, flow: Attempt, error: HeadwayError | None, settled: Settled
) -> bytes:
    """One line of JSON, of an attempt."""
    summary, cost = settled.summary, settled.cost
    output, latency = settled.usage.output_tokens, settled.timing.latency_s
    source, date = (None, None) if cost is None else (cost.price.source, cost.price.date)
    came = Came(
        timestamp=settled.now,
        started=settled.began,
        outcome="ok" if error is None else "error",
        deployment=summary.model,
        status=200,
        finish_reason=summary.finish_reason,
        upstream_status=flow.status or None,
        upstream_request_id=_request_id(flow.response_headers),
        tokens_source=settled.source,
        cost_usd=settled.usd,
        price_source=source,
        price_date=date,
        tokens_per_second=output / latency if output is not None and latency else None,
        gateway_overhead_s=settled.overhead,
        content_events=len(flow.arrivals),
        response_bytes=flow.written,
        upstream_response_bytes=flow.received,
    )
    if error is not None:
        came = _failed(came, 200 if flow.has_head else error.status, error)
    return end(flow.begun, came, settled.usage, settled.timing)


def _failed(came: Came, status: int, error: HeadwayError) -> Came:
    return replace(
        came,
        outcome="cancelled" if isinstance(error, ClientGone) else came.outcome,
        status=status,
        error_type=error.type,
        error_code=error.code,
        error_message=error.message,
    )


def refused(exchange: GatewayCall, error: HeadwayError) -> bytes:
    """The record of a request for which no provider was asked, or none once more."""
    gateway = exchange.gateway
    now = gateway.unix_time()
    began = now - (gateway.clock() - exchange.started)
    came = _failed(Came(timestamp=now, started=began, outcome="refused"), error.status, error)
    return end(begin(_asked(exchange, 0)), came, UNKNOWN, NOTHING)


def _request_id(headers: Mapping[bytes, bytes]) -> str | None:
    if ANY_REQUEST_ID.isdisjoint(headers):
        return None
    name = next(name for name in REQUEST_IDS if name in headers)
    return headers[name].decode("latin-1")


def headers(exchange: GatewayCall, settled: Settled) -> ResponseHeaders:
    """What a whole answer says of itself, also in a dialect that has no room for metrics."""
    usage, context = settled.usage, exchange.context
    return ResponseHeaders(
        exchange.id,
        JSON,
        exchange.attempts,
        settled.timing.latency_s or 0.0,
        usage.input_tokens,
        usage.output_tokens,
        settled.usd,
        () if context is None else context.transformations,
    )
