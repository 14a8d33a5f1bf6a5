"""What the ledger answers, as JSON: the same for the HTTP routes and for ``--json``.

Times are ISO 8601 in UTC, durations seconds. An amount of US dollars is a number for computing, and
beside it the exact decimal digits as text. Null is unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from headway.ledger.money import format_usd
from headway.ledger.store import Call, Conversation, LogRow, Session
from headway.metering.histogram import GROWTH, SMALLEST, ZERO
from headway.record import (
    AttemptRole,
    CacheStatus,
    ContentMode,
    CostSource,
    Outcome,
    Record,
    TokensSource,
    reply_id_of,
)

SpanName = Literal["send", "connect", "wait", "first_token", "stream", "finish"]
"""Until the request was ready, and sent where a connection was free; until it was sent where one
had to be waited for; until the response's headers; until the first content event; until the
response's last byte; until the client had the end of the reply."""


class ErrorView(Struct, frozen=True):
    type: str
    code: str | None
    message: str | None


class LogLine(Struct, frozen=True, kw_only=True):
    """One call, as a row. Tokens and times are those of its last attempt, the cost is that of all
    attempts."""

    id: str
    """The id of the reply."""
    call_id: str
    """The gateway's own id of the call."""
    request_id: str
    time: str
    """When the call ended."""
    timestamp: float
    """The same in Unix seconds."""
    started: str
    key: str | None
    session: str | None
    user: str | None
    tags: tuple[str, ...]
    route: str
    dialect: str
    provider: str | None
    kind: str | None
    model: str | None
    """The requested model."""
    deployment: str | None
    """The provider's name of the model that answered."""
    stream: bool | None
    status: int | None
    outcome: Outcome
    error: ErrorView | None
    finish_reason: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    tokens_source: TokensSource | None
    cost_usd: float | None
    cost_usd_exact: str | None
    cost_source: CostSource | None
    cost_confidence: TokensSource | None
    latency_s: float | None
    time_to_first_byte_s: float | None
    time_to_first_token_s: float | None
    inter_token_latency_s: float | None
    inter_token_latency_p50_s: float | None
    inter_token_latency_p95_s: float | None
    inter_token_latency_max_s: float | None
    tokens_per_second: float | None
    gateway_overhead_s: float | None
    content_events: int | None
    attempts: int
    role: AttemptRole
    """Why the last attempt was made."""
    route_name: str | None
    """The configured route."""
    cache: CacheStatus | None
    saved_usd: float | None
    """What the answer would have cost without the cache."""
    saved_usd_exact: str | None
    shadow_of: str | None
    """The ``call_id`` of the call that this one is a copy of."""
    transformations: tuple[str, ...]
    content: ContentMode
    """Whether the messages are kept."""


class LineItemView(Struct, frozen=True):
    """One line of the gateway's own computation; the lines add up to ``computed_usd_exact``."""

    kind: str
    quantity: str
    unit_price_usd: str
    amount_usd: str


class PriceView(Struct, frozen=True):
    source: str | None
    """The price data with its version, or ``configured``."""
    date: str | None
    """ISO date of the price."""
    conditions: Mapping[str, str]


class CostView(Struct, frozen=True, kw_only=True):
    """The cost of one attempt."""

    usd: float | None
    usd_exact: str | None
    source: CostSource | None
    confidence: TokensSource | None
    provider_usd_exact: str | None
    """The provider's own figure."""
    computed_usd_exact: str | None
    """The gateway's own computation."""
    difference_usd_exact: str | None
    """The second less the first."""
    unknown_reason: str | None
    price: PriceView | None
    line_items: tuple[LineItemView, ...]


class Span(Struct, frozen=True):
    """A part of a call's time."""

    name: SpanName
    attempt: int
    start_s: float
    """Seconds since the call started."""
    end_s: float


class AttemptTimes(Struct, frozen=True, kw_only=True):
    """When each step of an attempt was done: seconds since the call started. Null: it did not get
    that far, or the step left no trace. The times of single events are not kept: `gaps` says how
    many were how far apart."""

    ready_s: float | None
    """The request was made and handed to the transport."""
    sent_s: float | None
    """Its last byte was written. The time since `ready_s` was spent on waiting for a connection and
    opening it; none, where one was free."""
    first_byte_s: float | None
    """The headers of the response."""
    first_token_s: float | None
    """The first event with content."""
    last_token_s: float | None
    """The last one."""
    last_byte_s: float | None
    """The end of the response."""
    ended_s: float
    """The client had the end of the reply, or the attempt failed."""
    gateway_s: float | None
    """How long the gateway itself worked, all in all."""


class GapCount(Struct, frozen=True):
    """How many gaps between content events were longer than ``from_s``, and at most ``to_s``."""

    from_s: float
    to_s: float
    count: int


class AttemptView(Struct, frozen=True, kw_only=True):
    number: int
    role: AttemptRole
    """Why the attempt was made."""
    route_name: str | None
    """The configured route."""
    provider_key: str | None
    """Which of the provider's keys was used, by its number in the configuration."""
    decision: Raw | None
    """How the targets were chosen: the strategy, the targets in their order, and those that were
    passed over, with the reason."""
    provider: str | None
    deployment: str | None
    outcome: Outcome
    status: int | None
    error: ErrorView | None
    cost: CostView
    times: AttemptTimes
    gaps: tuple[GapCount, ...]
    transformations: tuple[str, ...]
    """How the request was changed for the provider."""
    record: Record
    """Everything that the ledger has of the attempt."""


class FeedbackView(Struct, frozen=True):
    id: str
    time: str
    key: str | None
    score: float | None
    label: str | None
    comment: str | None


class ConversationView(Struct, frozen=True):
    """The content of a call, where it is kept."""

    wire: str
    """The wire format of ``messages``."""
    mode: ContentMode
    messages: tuple[Raw, ...]
    """With ``mode: hash``, the messages' SHA-256."""
    output: tuple[Raw, ...]
    """The reply, as messages of OpenAI's chat format."""
    parameters: Mapping[str, Raw]


class CallDetails(LogLine, frozen=True, kw_only=True):
    """One call, with all that the ledger has of it."""

    duration_s: float
    """From the start of the call until its end."""
    attempt_details: tuple[AttemptView, ...]
    spans: tuple[Span, ...]
    feedback: tuple[FeedbackView, ...]
    conversation: ConversationView | None


class SessionView(Struct, frozen=True, kw_only=True):
    id: str
    calls: int
    failed: int
    started: str
    ended: str
    duration_s: float
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_usd_exact: str | None
    models: tuple[str, ...]
    key: str | None
    user: str | None


class Reconciliation(Struct, frozen=True, kw_only=True):
    """The provider's own figure of an attempt, and the gateway's computation."""

    id: str
    record_id: str
    time: str
    provider: str | None
    model: str | None
    deployment: str | None
    provider_usd: float
    provider_usd_exact: str
    computed_usd: float
    computed_usd_exact: str
    difference_usd: float
    difference_usd_exact: str
    """The gateway's computation less the provider's figure."""
    ratio: float | None
    """The computation divided by the figure."""
    price: PriceView | None
    line_items: tuple[LineItemView, ...]


class ReconciliationTotal(Struct, frozen=True, kw_only=True):
    records: int
    provider_usd: float
    provider_usd_exact: str
    computed_usd: float
    computed_usd_exact: str
    difference_usd: float
    difference_usd_exact: str


def iso_time(timestamp: float) -> str:
    """``2026-11-30T12:00:00.250000Z``."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def exact(amount: Decimal | None) -> str | None:
    """All digits, without an exponent, and without zeros after the last one."""
    return None if amount is None else format_usd(amount)


def log_line(row: LogRow) -> LogLine:
    last, cost = row.last, row.cost_usd
    both = last.input_tokens is not None and last.output_tokens is not None
    return LogLine(
        **{name: getattr(last, name) for name in _SAME},
        id=reply_id_of(last),
        call_id=last.call_id or last.id,
        time=iso_time(last.timestamp),
        started=iso_time(last.started),
        key=last.key_id,
        session=last.session_id,
        error=_error(last),
        total_tokens=(last.input_tokens or 0) + (last.output_tokens or 0) if both else None,
        cost_usd=None if cost is None else float(cost),
        cost_usd_exact=exact(cost),
        cost_confidence=cost_confidence(last) if cost is not None else None,
        saved_usd=None if last.saved_usd is None else float(last.saved_usd),
        saved_usd_exact=last.saved_usd,
    )


_OWN = frozenset({"id", "call_id", "started", "cost_usd", "saved_usd"})
_SAME = tuple(
    name
    for name in LogLine.__struct_fields__
    if name in Record.__struct_fields__ and name not in _OWN
)
"""The fields that a row takes from its last record as they are."""


def call_details(call: Call, conversation: Conversation | None) -> CallDetails:
    line = log_line(LogRow(call.last, cost_of(call.attempts)))
    fields = {name: getattr(line, name) for name in LogLine.__struct_fields__}
    return CallDetails(
        **fields,
        duration_s=call.last.timestamp - call.attempts[0].started,
        attempt_details=tuple(
            _attempt(record, record.started - call.attempts[0].started) for record in call.attempts
        ),
        spans=tuple(spans(call.attempts)),
        feedback=tuple(
            FeedbackView(
                each.id, iso_time(each.timestamp), each.key_id, each.score, each.label, each.comment
            )
            for each in call.feedback
        ),
        conversation=None if conversation is None else conversation_view(conversation),
    )


def conversation_view(content: Conversation) -> ConversationView:
    return ConversationView(
        content.wire, content.mode, content.messages, content.output, content.parameters
    )


def cost_of(attempts: Iterable[Record]) -> Decimal | None:
    """Of all attempts together; None where none has a known cost."""
    known = [Decimal(each.cost_usd) for each in attempts if each.cost_usd is not None]
    return sum(known, Decimal(0)) if known else None


def cost_confidence(record: Record) -> TokensSource | None:
    """What the cost rests on: the provider's own figure, or the tokens."""
    if record.cost_usd is None:
        return None
    return "reported" if record.cost_source == "provider" else record.tokens_source


def _error(record: Record) -> ErrorView | None:
    if record.error_type is None:
        return None
    return ErrorView(record.error_type, record.error_code, record.error_message)


def _attempt(record: Record, offset: float) -> AttemptView:
    """``offset``: seconds from the start of the call to that of the attempt."""
    return AttemptView(
        number=record.attempt,
        role=record.role,
        route_name=record.route_name,
        provider_key=record.provider_key,
        decision=_decision(record),
        provider=record.provider,
        deployment=record.deployment,
        outcome=record.outcome,
        status=record.status,
        error=_error(record),
        cost=cost_view(record),
        times=_times(record, offset),
        transformations=record.transformations,
        gaps=tuple(_gap(bucket, count) for bucket, count in sorted(record.gap_counts)),
        record=record,
    )


def _times(record: Record, offset: float) -> AttemptTimes:
    def at(time_s: float | None) -> float | None:
        return None if time_s is None else offset + time_s

    return AttemptTimes(
        ready_s=at(_ready(record)),
        sent_s=at(record.time_to_sent_s),
        first_byte_s=at(record.time_to_first_byte_s),
        first_token_s=at(record.time_to_first_token_s),
        last_token_s=at(_last_token(record)),
        last_byte_s=at(record.latency_s),
        ended_s=offset + record.timestamp - record.started,
        gateway_s=record.gateway_overhead_s,
    )


def _ready(record: Record) -> float | None:
    """Seconds until the request could be sent."""
    if record.time_to_sent_s is not None:
        return max(0.0, record.time_to_sent_s - (record.connect_s or 0.0))
    if record.connect_s is None:
        return None
    return max(0.0, record.timestamp - record.started - record.connect_s)  # it was never sent


def _last_token(record: Record) -> float | None:
    """Seconds until the last content event: the gaps between them add up to that."""
    first, mean, events = (
        record.time_to_first_token_s, record.inter_token_latency_s, record.content_events,
    )  # fmt: skip
    if first is None or not events:
        return None
    return first if mean is None else first + mean * (events - 1)


def _decision(record: Record) -> Raw | None:
    """None where there is none, or it is not JSON."""
    try:
        return None if record.decision is None else msgspec.json.decode(record.decision, type=Raw)
    except msgspec.DecodeError:
        return None


def _gap(bucket: int, count: int) -> GapCount:
    if bucket == ZERO:
        return GapCount(0.0, SMALLEST, count)
    return GapCount(SMALLEST * GROWTH ** (bucket - 1), SMALLEST * GROWTH**bucket, count)


def cost_view(record: Record) -> CostView:
    is_provider = record.cost_source == "provider"
    provider = record.cost_usd if is_provider else None
    computed = record.cost_computed_usd if is_provider else record.cost_usd
    both = provider is not None and computed is not None
    return CostView(
        usd=None if record.cost_usd is None else float(record.cost_usd),
        usd_exact=record.cost_usd,
        source=record.cost_source,
        confidence=cost_confidence(record),
        provider_usd_exact=provider,
        computed_usd_exact=computed,
        difference_usd_exact=exact(Decimal(computed) - Decimal(provider))  # type: ignore[arg-type]
        if both
        else None,
        unknown_reason=record.cost_unknown_reason,
        price=_price(record),
        line_items=line_items(record),
    )


def line_items(record: Record) -> tuple[LineItemView, ...]:
    return tuple(
        LineItemView(
            item.kind,
            item.quantity,
            item.unit_price_usd,
            f"{Decimal(item.quantity) * Decimal(item.unit_price_usd):f}",
        )
        for item in record.line_items
    )


def _price(record: Record) -> PriceView | None:
    if record.price_source is None and not record.price_conditions:
        return None
    return PriceView(record.price_source, record.price_date, record.price_conditions)


def spans(attempts: Sequence[Record]) -> Iterable[Span]:
    """The waterfall of a call. An attempt that failed ends with the span that it failed in."""
    origin, begin = attempts[0].started, 0.0
    for record in attempts:
        offset, end = record.started - origin, record.timestamp - origin
        points: list[tuple[SpanName, float | None]] = [
            ("send", _ready(record)),
            ("connect", None if record.connect_s is None else record.time_to_sent_s),
            ("wait", record.time_to_first_byte_s),
            ("first_token", record.time_to_first_token_s),
            ("stream", record.latency_s),
        ]
        reached = [(name, offset + point) for name, point in points if point is not None]
        at = min([begin, *(point for _, point in reached)])  # an attempt beside another one
        for name, point in reached:
            yield Span(name, record.attempt, at, max(at, point))
            at = max(at, point)
        if end > at or not reached:
            yield Span(_unfinished(record), record.attempt, at, max(at, end))
        begin = max(begin, end)


def _unfinished(record: Record) -> SpanName:
    """The span in which an attempt ended."""
    if record.latency_s is not None:
        return "finish"
    if record.time_to_first_token_s is not None:
        return "stream"
    if record.time_to_first_byte_s is not None:
        return "first_token"
    if record.time_to_sent_s is not None:
        return "wait"
    return "send" if record.connect_s is None else "connect"


def session_view(session: Session) -> SessionView:
    return SessionView(
        id=session.id,
        calls=session.calls,
        failed=session.failed,
        started=iso_time(session.started),
        ended=iso_time(session.ended),
        duration_s=session.ended - session.started,
        input_tokens=session.input_tokens,
        output_tokens=session.output_tokens,
        cost_usd=None if session.cost_usd is None else float(session.cost_usd),
        cost_usd_exact=exact(session.cost_usd),
        models=session.models,
        key=session.key_id,
        user=session.user,
    )


def reconciliation(record: Record) -> Reconciliation:
    """Of a record with both figures."""
    provider, computed = Decimal(record.cost_usd or 0), Decimal(record.cost_computed_usd or 0)
    difference = computed - provider
    return Reconciliation(
        id=reply_id_of(record),
        record_id=record.id,
        time=iso_time(record.timestamp),
        provider=record.provider,
        model=record.model,
        deployment=record.deployment,
        provider_usd=float(provider),
        provider_usd_exact=f"{provider:f}",
        computed_usd=float(computed),
        computed_usd_exact=f"{computed:f}",
        difference_usd=float(difference),
        difference_usd_exact=f"{difference:f}",
        ratio=float(computed / provider) if provider else None,
        price=_price(record),
        line_items=line_items(record),
    )


def reconciliation_total(rows: Sequence[Reconciliation]) -> ReconciliationTotal:
    provider = sum((Decimal(row.provider_usd_exact) for row in rows), Decimal(0))
    computed = sum((Decimal(row.computed_usd_exact) for row in rows), Decimal(0))
    return ReconciliationTotal(
        records=len(rows),
        provider_usd=float(provider),
        provider_usd_exact=f"{provider:f}",
        computed_usd=float(computed),
        computed_usd_exact=f"{computed:f}",
        difference_usd=float(computed - provider),
        difference_usd_exact=f"{computed - provider:f}",
    )


encode = msgspec.json.Encoder().encode
"""A view, or a container of views, as JSON."""
