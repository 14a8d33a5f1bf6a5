"""Tokens, cost and times of one attempt, and its record.

Everything is computed from two values: ``RequestFacts`` and ``AttemptResult``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Protocol

from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.errors import ClientGone, HeadwayError, HedgeLost, LimitExceeded, ShuttingDown
from headway.events import ResponseSummary
from headway.metering.cost import BilledCall, find_cost
from headway.metering.line_items import LineItems
from headway.metering.metrics import CallCost, Metrics, TokensSource, measure
from headway.metering.prices import PriceBook
from headway.metering.timing import Timing
from headway.pipeline.attempt_origin import AttemptOrigin
from headway.pipeline.gateway import Upstream
from headway.pipeline.provider_calls import prompt_of, tokens_in
from headway.policy.request_labels import LABEL_FIELDS, parameters_in, tags_in, user_in
from headway.record import (
    VERSION,
    AttemptRole,
    CacheStatus,
    ContentMode,
    Outcome,
    Record,
    SpooledRecord,
    encode_record,
)
from headway.types import RelayedRequest, Transformation, Usage

LONGEST_ID = 200
HANDS_ON_IDS = frozenset(
    {
        "openai_chat", "openai_completions", "fim_completions", "gemini_generate", "gemini_stream",
    }
)  # fmt: skip
"""The dialects whose replies have the provider's id."""
BYTES_PER_TOKEN = 4
"""Approximate, for English text."""
SWITCHED = 101
"""The status of a response that became a WebSocket (RFC 6455, section 4.2.2)."""
NO_COST = CallCost()
NO_ITEMS: LineItems = ()
FREE: frozenset[CacheStatus | None] = frozenset({"hit", "coalesced"})
"""No provider was paid for such an answer."""
FREE_COST = CallCost(Decimal(0), "computed")
NOT_WANTED = (ClientGone, HedgeLost)
"""Errors of attempts whose answer nobody wants any more."""
ENDED_BY_GATEWAY = (*NOT_WANTED, LimitExceeded, ShuttingDown)
"""Errors with which the gateway closes the connection, and the provider may bill all the same."""
REQUEST_ID_HEADERS = (b"x-request-id", b"request-id", b"x-amzn-requestid", b"apim-request-id")
ANY_REQUEST_ID = frozenset(REQUEST_ID_HEADERS)

Counter = Callable[[str, bytes, str], Awaitable[tuple[int | None, int | None]]]
"""``Gateway.count``."""


class RouteFacts(Protocol):
    """What of a ``Dialect`` a record and the headers of a response need."""

    @property
    def name(self) -> str: ...

    @property
    def route(self) -> str: ...

    @property
    def id_header(self) -> bytes: ...


class RequestFacts(Struct, frozen=True, gc=False):
    """A client's request, at the time of its record. A step that it did not reach is None."""

    record_id: str
    call_id: str
    """As in ``Record``."""
    id: str
    dialect: RouteFacts
    key_id: str | None
    request_bytes: int
    decoded: DecodedRequest | None
    upstream: Upstream | None
    attempts: int
    """Attempts so far."""
    upstream_request_bytes: int | None
    overhead_s: float | None
    """The gateway's own time until the last attempt's request was handed to the transport."""
    elapsed_s: float
    """Seconds since the client's request was read."""
    now: float
    """Unix seconds."""
    native_path: str | None = None
    """As in ``Record``."""
    content: ContentMode = "off"
    """As in ``Record``."""
    cache: CacheStatus | None = None
    """As in ``Record``."""
    shadow_of: str | None = None
    """As in ``Record``."""


class AttemptResult(Struct, frozen=True, gc=False):
    """The result of one attempt."""

    upstream: Upstream
    context: ResponseContext
    summary: ResponseSummary
    usage: Usage
    """Counts are counted or estimated where the provider did not report them."""
    tokens_source: TokensSource | None
    timing: Timing
    content_events: int
    status: int
    """HTTP status of the provider's response; 0 without a response."""
    response_headers: Mapping[bytes, bytes]
    bytes_in: int
    """Body bytes from the provider."""
    has_client_headers: bool
    """The client already got status 200."""
    transformations: tuple[Transformation, ...]
    """Of the request, and of the response."""
    origin: AttemptOrigin | None = None
    """None for the only attempt of a call."""
    connect_s: float | None = None
    """As in ``Record``."""


class AttemptTotals(Struct, frozen=True, gc=False):
    """The cost of one attempt, and the gateway's share of its time."""

    cost: CallCost
    cost_usd: str | None
    """Exact decimal digits."""
    overhead_s: float | None
    saved_usd: str | None = None
    """As in ``Record``."""


UNKNOWN_TOTALS = AttemptTotals(CallCost(), None, None)


# --- Tokens ---------------------------------------------------------------------------------------


def needs_count(result: AttemptResult, error: HeadwayError | None) -> bool:
    """Whether tokens must be counted: the provider did not report all of them, and it may bill for
    them. ``error`` ended the attempt. The prompt of one that the gateway ended is billed once it
    was sent, unless the provider refused it."""
    if result.tokens_source is not None:
        return False
    request, is_abandoned = result.context.sent, isinstance(error, ENDED_BY_GATEWAY)
    if isinstance(request, RelayedRequest) and not (
        is_abandoned and request.characters is not None and result.usage.input_characters is None
    ):
        return False  # what a relayed response does not report cannot be counted
    if not result.status and is_abandoned:
        return result.timing.time_to_sent_s is not None
    if not 200 <= result.status < 300:
        return False
    return error is None or result.content_events > 0 or is_abandoned


async def count_tokens(
    result: AttemptResult, output: str, count: Counter, is_complete: bool
) -> AttemptResult:
    """``result`` with the unreported tokens counted; estimated where the output is incomplete."""
    request = result.context.call.request
    if isinstance(request, RelayedRequest):
        return estimate_tokens(result, output)
    input_tokens, output_tokens = await count(request.model, prompt_of(request), output)
    if input_tokens is not None:
        input_tokens += tokens_in(request)
    counted = _fill_usage(result, input_tokens, output_tokens)
    if not is_complete:
        return estimate_tokens(counted, output)
    is_counted = input_tokens is not None and output_tokens is not None
    return replace(counted, tokens_source="counted" if is_counted else None)


def estimate_tokens(result: AttemptResult, output: str) -> AttemptResult:
    """``result`` with unknown tokens estimated by length: the provider bills for an incomplete
    output, so an estimate is better than nothing."""
    request = result.context.call.request
    if isinstance(request, RelayedRequest):  # speech is billed by the characters to be spoken
        usage = replace(result.usage, input_characters=request.characters)
        return replace(result, usage=usage, tokens_source="estimated")
    input_tokens = len(prompt_of(request)) // BYTES_PER_TOKEN + tokens_in(request)
    estimated = _fill_usage(result, input_tokens, len(output) // BYTES_PER_TOKEN)
    return replace(estimated, tokens_source="estimated")


def _fill_usage(
    result: AttemptResult, input_tokens: int | None, output_tokens: int | None
) -> AttemptResult:
    """``result`` with the given numbers where it has none."""
    usage = result.usage
    if usage.input_tokens is not None:
        input_tokens = usage.input_tokens
    if usage.output_tokens is not None:
        output_tokens = usage.output_tokens
    usage = replace(usage, input_tokens=input_tokens, output_tokens=output_tokens)
    return replace(result, usage=usage)


def output_usd(result: AttemptResult, output: str, prices: PriceBook) -> Decimal | None:
    """What the output so far costs, if the provider does not report more tokens than its length
    suggests. None where that is unknown."""
    usage = result.usage
    estimated = len(output) // BYTES_PER_TOKEN
    given = estimate_tokens(result, output).usage.input_tokens
    with_output = Usage(input_tokens=given, output_tokens=max(usage.output_tokens or 0, estimated))
    costs = [
        _find_cost(replace(result, usage=each), prices).usd
        for each in (with_output, replace(with_output, output_tokens=0))
    ]
    return None if costs[0] is None or costs[1] is None else costs[0] - costs[1]


# --- Cost and times -------------------------------------------------------------------------------


def total(facts: RequestFacts, result: AttemptResult, prices: PriceBook) -> AttemptTotals:
    latency, overhead = result.timing.latency_s, None
    if latency is not None and facts.overhead_s is not None:
        # The time until the request was handed to the transport, and since the response's last
        # byte.
        overhead = facts.overhead_s + facts.elapsed_s - latency
    cost = _find_cost(result, prices)
    digits = None if cost.usd is None else f"{cost.usd:f}"
    if facts.cache in FREE:
        return AttemptTotals(FREE_COST, "0", overhead, digits)
    return AttemptTotals(cost, digits, overhead)


def has_succeeded(status: int) -> bool:
    return 200 <= status < 300 or status == SWITCHED


def _find_cost(result: AttemptResult, prices: PriceBook) -> CallCost:
    """Nothing is known of a call without a successful response, but for the prompt of a client
    that did not wait for one."""
    status = result.status
    if status != 200 and not has_succeeded(status) and (status or result.tokens_source is None):
        return NO_COST
    upstream, context, summary = result.upstream, result.context, result.summary
    provider, call, options = upstream.provider, context.call, upstream.options
    if call.options:
        options = {**options, **call.options}
    address, model = call.base_url or upstream.base_url or "", call.request.model
    conditions = provider.price_conditions(address, options, model)
    if provider.price_headers:
        conditions = {**conditions, **_read_price_headers(result)}
    billed = BilledCall(
        provider.price_id,
        upstream.name,
        model,
        summary.model,
        context.created,
        summary.service_tier,
        conditions,
    )
    return find_cost(prices, billed, result.usage)


def _read_price_headers(result: AttemptResult) -> Mapping[str, str]:
    """Conditions of the price that the response's headers tell. Of facts that the address or the
    options tell as well, these count."""
    headers = result.response_headers
    return {
        name: headers[header].decode("latin-1")
        for header, name in result.upstream.provider.price_headers.items()
        if header in headers
    }


def metrics(facts: RequestFacts, result: AttemptResult, totals: AttemptTotals) -> Metrics:
    return measure(
        result.timing,
        result.usage,
        result.tokens_source,
        totals.cost,
        totals.overhead_s,
        facts.attempts,
        result.context.call.request.model,
        result.summary.model,
    )


# --- Records --------------------------------------------------------------------------------------


def attempt_record(
    facts: RequestFacts,
    result: AttemptResult,
    totals: AttemptTotals,
    error: HeadwayError | None,
    bytes_out: int,
    status: int | None = None,
    *,
    is_last: bool = True,
    is_drained: bool = False,
) -> bytes:
    """The record of an attempt, as a line of JSON. ``bytes_out`` counts body bytes sent to the
    client, ``status`` is what it got where that does not follow from ``error``. ``is_last``: no
    attempt follows. ``is_drained``: the response was read to its end without its client."""
    record = _new_record(facts, result, totals, bytes_out, is_last, is_drained)
    if error is not None:
        _set_error(record, error, "error")
        record.status = 200 if result.has_client_headers else error.status
        if not result.has_client_headers:
            record.reply_id = None
    if status is not None:
        record.status = status
    if result.connect_s is not None:
        record.connect_s = result.connect_s
    if facts.cache is not None:
        record.cache, record.saved_usd = facts.cache, totals.saved_usd
    if facts.shadow_of is not None:
        record.role, record.shadow_of, record.reply_id = "shadow", facts.shadow_of, None
    return encode_record(record)


def _reply_id(facts: RequestFacts, result: AttemptResult) -> str | None:
    """The provider's id of the response, where the client gets it."""
    given = result.summary.id
    if given is None or len(given) > LONGEST_ID:
        return None
    hands_on = result.context.is_passthrough or facts.dialect.name in HANDS_ON_IDS
    return given if hands_on else None


def _new_record(
    facts: RequestFacts,
    result: AttemptResult,
    totals: AttemptTotals,
    bytes_out: int,
    is_last: bool,
    is_drained: bool,
) -> Record:
    """The record of an attempt that succeeded."""
    call, summary, usage, timing = result.context.call, result.summary, result.usage, result.timing
    cost, transformations, now = totals.cost, result.transformations, facts.now
    latency, output_tokens, attempts = timing.latency_s, usage.output_tokens, facts.attempts
    computed, source, date, items, compared = cost.computed, None, None, NO_ITEMS, None
    if computed is not None:
        source, date, items = computed.price.source, computed.price.date, computed.items
        compared = f"{computed.usd:f}" if cost.source == "provider" else None
    number, sent_bytes = attempts, facts.upstream_request_bytes
    role: AttemptRole = "retry" if attempts > 1 else "first"
    route_name = decision = key_name = None
    if (origin := result.origin) is not None:
        number, role, sent_bytes = origin.number, origin.role, origin.upstream_request_bytes
        route_name, decision, key_name = origin.route_name, origin.decision, origin.provider_key
    user, tags, parameters = _labels_of(call)
    return SpooledRecord(  # by position: keyword arguments take several times as long
        facts.record_id, facts.id, now, now - facts.elapsed_s,
        facts.dialect.route, facts.dialect.name, "ok", VERSION, number, attempts,
        call.provider, result.upstream.provider.name, call.request.model or None, summary.model,
        call.stream, call.session_id, facts.key_id, 200, None, None, None, summary.finish_reason,
        result.status or None, _upstream_request_id(result.response_headers),
        tuple(map(str, transformations)) if transformations else (),
        usage.input_tokens, output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
        usage.cache_write_1h_tokens, usage.reasoning_tokens, usage.input_audio_tokens,
        usage.input_image_tokens, usage.input_video_tokens, usage.cache_read_audio_tokens,
        usage.cache_read_image_tokens, usage.output_audio_tokens, usage.output_image_tokens,
        usage.output_video_tokens, usage.citation_tokens, usage.web_searches, usage.file_searches,
        result.tokens_source, totals.cost_usd, cost.source, compared, cost.unknown_reason,
        cost.conditions or usage.price_conditions, source, date,
        latency, timing.time_to_first_byte_s, timing.time_to_first_token_s, timing.time_to_sent_s,
        timing.inter_token_latency_s, timing.inter_token_latency_p50_s,
        timing.inter_token_latency_p95_s, timing.inter_token_latency_max_s,
        output_tokens / latency if latency and output_tokens is not None else None,
        totals.overhead_s, result.content_events,
        facts.request_bytes, bytes_out, sent_bytes, result.bytes_in, facts.native_path,
        None if usage.audio_seconds is None else float(usage.audio_seconds),
        usage.input_characters, usage.search_units,
        facts.call_id, is_last, role, user, tags, parameters, items, timing.gap_counts,
        facts.content, is_drained, _reply_id(facts, result), route_name, decision, key_name,
    )  # fmt: skip


def _labels_of(call: DecodedRequest) -> tuple[str | None, tuple[str, ...], Mapping[str, Raw]]:
    """The user, the tags and the generation parameters of a request."""
    request, user, tags = call.request, call.user, call.tags
    fields = request.parameters if request.native is None else request.native.fields
    if not fields:
        if type(request) is not RelayedRequest or request.form is None:
            return user, tags, fields
        fields = request.form.fields
    if not LABEL_FIELDS.isdisjoint(fields):
        user, tags = user or user_in(fields), tags_in(fields, tags)
    return user, tags, parameters_in(fields)


def refusal_record(facts: RequestFacts, error: HeadwayError, status: int) -> bytes:
    """The record of a request that was refused before any attempt, or before another one.
    ``status`` is what the client got, which its dialect decides."""
    record = SpooledRecord(
        id=facts.record_id,
        request_id=facts.id,
        timestamp=facts.now,
        started=facts.now - facts.elapsed_s,
        route=facts.dialect.route,
        dialect=facts.dialect.name,
        outcome="refused",
        attempt=0,
        attempts=facts.attempts,
        key_id=facts.key_id,
        status=status,
        request_bytes=facts.request_bytes,
        native_path=facts.native_path,
        call_id=facts.call_id,
        role="retry" if facts.attempts else "first",
        content=facts.content,
    )
    decoded, upstream = facts.decoded, facts.upstream
    if decoded is not None:
        record.provider = decoded.provider
        record.model = decoded.request.model or None
        record.stream = decoded.stream
        record.session_id = decoded.session_id
        record.user, record.tags, record.parameters = _labels_of(decoded)
    if upstream is not None:
        record.kind = upstream.provider.name
    if facts.shadow_of is not None:
        record.role, record.shadow_of = "shadow", facts.shadow_of
    _set_error(record, error, "refused")
    return encode_record(record)


def _set_error(record: Record, error: HeadwayError, outcome: Outcome) -> None:
    record.outcome = "cancelled" if isinstance(error, NOT_WANTED) else outcome
    record.error_type = error.type
    record.error_code = error.code
    record.error_message = error.message


def _upstream_request_id(headers: Mapping[bytes, bytes]) -> str | None:
    if ANY_REQUEST_ID.isdisjoint(headers):
        return None
    name = next(name for name in REQUEST_ID_HEADERS if name in headers)
    return headers[name].decode("latin-1")
