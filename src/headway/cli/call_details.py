"""One call in full: what was asked, the bill, where the time went, and the conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from headway.cli import number_formats as numbers
from headway.cli.log_table import STYLES, USUAL, model_name
from headway.cli.tables import Cell, Cells, Column, Line, Measure, Table, render
from headway.ledger.json_views import SpanName, cost_of, spans
from headway.ledger.store import Call, Conversation
from headway.record import LineItem, Record

LABEL = 14
"""Width of the names of facts."""
MILLION = 10**6
BAR_MARGIN = 44
"""Columns that a line of the waterfall has besides its bar."""
MAX_BAR = 72
SMALL = Decimal("0.001")
"""Unit prices below this are given for a million."""


def describe_call(
    call: Call, conversation: Conversation | None, width: int, measure: Measure, *, blocks: bool
) -> list[Line]:
    """The lines of ``headway logs show`` within ``width`` columns; only texts are wrapped by the
    terminal."""
    last = call.last
    sections = (
        list(_facts(call)),
        _attempts(call, width, measure),
        _choice(call),
        list(_bill(call, width, measure)),
        list(_waterfall(call, width, blocks=blocks)),
        _listed("Transformations", last.transformations),
        list(_conversation(conversation, last)),
        list(_feedback(call)),
    )
    lines: list[Line] = []
    for section in sections:
        lines += [[], *section] if lines and section else section
    return lines


# --- Facts ----------------------------------------------------------------------------------------


def _facts(call: Call) -> Iterator[Line]:
    last = call.last
    yield [(call.id, "bold cyan"), *([(" (streamed)", "dim")] if last.stream else [])]
    for name, value, style in (
        ("ended", numbers.full_time(last.timestamp), ""),
        ("model", _model(last), ""),
        ("result", _result(last), STYLES[last.outcome]),
        ("error", last.error_message or "", ""),
        ("dialect", f"{last.dialect}, {last.native_path or last.route}", ""),
        ("tokens", _tokens(last), ""),
        ("cost", _cost(call), ""),
        ("route", last.route_name or "", ""),
        ("cache", _cache(last), ""),
        ("copy of", last.shadow_of or "", ""),
        ("time", _times(last), ""),
        ("reply id", last.reply_id or "", ""),
        ("request id", "" if last.request_id == call.id else last.request_id, ""),
        ("upstream id", last.upstream_request_id or "", ""),
        ("key", last.key_id or "", ""),
        ("session", last.session_id or "", ""),
        ("user", last.user or "", ""),
        ("tags", ", ".join(last.tags), ""),
        ("parameters", _parameters(last), ""),
        ("bytes", _bytes(last), ""),
    ):
        if value:
            yield [(f"  {name:<{LABEL}}", "dim"), (" ".join(value.split()), style)]


def _model(record: Record) -> str:
    served = record.deployment
    name = model_name(record)
    return name if served in (None, record.model) else f"{name}, served by {served}"


def _result(record: Record) -> str:
    parts = [
        record.outcome,
        f"HTTP {record.status}" if record.status is not None else None,
        record.error_type,
        record.error_code,
        None if record.finish_reason is None else f"finish {record.finish_reason}",
        f"the provider answered {record.upstream_status}"
        if record.upstream_status not in (None, record.status)
        else None,
        "the response was read to its end" if record.is_drained else None,
    ]
    return " · ".join(part for part in parts if part)


def _tokens(record: Record) -> str:
    parts = (
        ("in", record.input_tokens),
        ("from cache", record.cache_read_tokens),
        ("to cache", record.cache_write_tokens),
        ("out", record.output_tokens),
        ("reasoning", record.reasoning_tokens),
    )
    known = [f"{number:,} {name}" for name, number in parts if number or (name in ("in", "out")
             and number is not None)]  # fmt: skip
    return " · ".join([*known, *([record.tokens_source] if record.tokens_source else [])])


def _cost(call: Call) -> str:
    last, total = call.last, cost_of(call.attempts)
    if total is None:
        return f"unknown: {last.cost_unknown_reason}" if last.cost_unknown_reason else ""
    parts = [numbers.exact_amount(total)]
    if last.cost_source == "provider":
        parts.append("reported by the provider")
        if last.cost_computed_usd is not None:
            parts.append(f"computed {numbers.exact_amount(Decimal(last.cost_computed_usd))}")
    if last.price_source is not None:
        date = f" of {last.price_date}" if last.price_date else ""
        parts.append(f"prices: {last.price_source}{date}")
    parts += [f"{name} {value}" for name, value in last.price_conditions.items()]
    return " · ".join(parts)


def _cache(record: Record) -> str:
    if record.saved_usd is None:
        return record.cache or ""
    return f"{record.cache} · saved {numbers.exact_amount(Decimal(record.saved_usd))}"


def _times(record: Record) -> str:
    gaps = (
        record.inter_token_latency_p50_s,
        record.inter_token_latency_p95_s,
        record.inter_token_latency_max_s,
    )
    parts = [
        None if record.latency_s is None else f"{numbers.seconds(record.latency_s)} in all",
        None
        if record.time_to_first_token_s is None
        else f"first token after {numbers.seconds(record.time_to_first_token_s)}",
        None if record.tokens_per_second is None else f"{record.tokens_per_second:.1f} tok/s",
        None
        if None in gaps
        else f"gaps {' / '.join(map(numbers.seconds, gaps))} (p50 / p95 / longest)",
        None
        if record.gateway_overhead_s is None
        else f"gateway {numbers.seconds(record.gateway_overhead_s)}",
    ]
    return " · ".join(part for part in parts if part)


def _parameters(record: Record) -> str:
    return " · ".join(f"{name} {bytes(raw).decode()}" for name, raw in record.parameters.items())


def _bytes(record: Record) -> str:
    pairs = (
        ("request", record.request_bytes),
        ("to the provider", record.upstream_request_bytes),
        ("from the provider", record.upstream_response_bytes),
        ("reply", record.response_bytes),
    )
    return " · ".join(f"{name} {number:,}" for name, number in pairs if number is not None)


# --- Attempts, and what they cost -----------------------------------------------------------------

ATTEMPT_COLUMNS: tuple[Column, ...] = (
    Column("Attempt", is_right=True),
    Column("Why"),
    Column("Model", least=14),
    Column("Key", is_right=True),
    Column("Outcome"),
    Column("HTTP", is_right=True),
    Column("Latency", is_right=True),
    Column("Cost", is_right=True),
    Column("Error", least=12),
)
KEY_AT = 3


def _attempts(call: Call, width: int, measure: Measure) -> list[Line]:
    """Of a call with one attempt the facts say it all."""
    if len(call.attempts) < 2:
        return []
    rows: list[Cells] = [
        (
            str(one.attempt),
            one.role,
            _model(one),
            one.provider_key or "",
            Cell(one.outcome, STYLES[one.outcome]),
            "" if one.upstream_status is None else str(one.upstream_status),
            numbers.seconds(one.latency_s),
            "" if one.cost_usd is None else numbers.exact_amount(Decimal(one.cost_usd)),
            " ".join((one.error_message or "").split()),
        )
        for one in call.attempts
    ]
    columns = ATTEMPT_COLUMNS
    if not any(one.provider_key for one in call.attempts):
        columns = columns[:KEY_AT] + columns[KEY_AT + 1 :]
        rows = [(*row[:KEY_AT], *row[KEY_AT + 1 :]) for row in rows]
    return render(Table(columns, rows), width, measure)


def _choice(call: Call) -> list[Line]:
    """How the targets of each attempt were chosen, where that is not as before."""
    lines: list[Line] = []
    known = None
    for one in call.attempts:
        if one.decision is None or one.decision == known:
            continue
        known = one.decision
        lines.append([("Targets", "bold"), (f"  of attempt {one.attempt}", "dim")])
        lines += [[(f"  {text}", "")] for text in _decision_texts(one.decision)]
    return lines


def _decision_texts(decision: str) -> Iterator[str]:
    """The strategy, the targets in their order, and what was passed over, and why."""
    try:
        found = msgspec.json.decode(decision, type=_Decision)
    except msgspec.DecodeError:
        yield decision
        return
    if found.targets:
        yield f"{found.strategy}: {', '.join(found.targets)}"
    for skipped in found.skipped:
        yield f"not {skipped.target}: {skipped.reason}"


class _Skipped(msgspec.Struct):
    target: str
    reason: str


class _Decision(msgspec.Struct):
    strategy: str = ""
    targets: list[str] = []
    skipped: list[_Skipped] = []


BILL_COLUMNS = (
    Column("Attempt", is_right=True),
    Column("Bill", least=12),
    Column("Quantity", is_right=True),
    Column("Unit price", is_right=True),
    Column("Amount", is_right=True),
)


def _bill(call: Call, width: int, measure: Measure) -> Iterator[Line]:
    billed = [one for one in call.attempts if one.line_items]
    if not billed:
        return
    shows_attempt = len(billed) > 1
    rows: list[Cells] = []
    total = Decimal(0)
    for record in billed:
        for item in record.line_items:
            cost = Decimal(item.quantity) * Decimal(item.unit_price_usd)
            total += cost
            attempt = str(record.attempt) if shows_attempt else ""
            rows.append((attempt, *_bill_cells(item, cost)))
    totals = ("", "total", "", "", numbers.exact_amount(total))
    yield from render(Table(BILL_COLUMNS, rows, totals), width, measure)


def _bill_cells(item: LineItem, cost: Decimal) -> tuple[str, str, str, str]:
    unit = Decimal(item.unit_price_usd)
    if 0 < unit < SMALL:
        price = f"{numbers.exact_amount(unit * MILLION)} / 1M"
    else:
        price = numbers.exact_amount(unit)
    name = item.kind.replace("_", " ")
    return name, numbers.quantity(item.quantity), price, numbers.exact_amount(cost)


# --- Where the time went --------------------------------------------------------------------------


SPANS: Mapping[SpanName, tuple[str, str]] = {
    "send": ("request ready", "blue"),
    "connect": ("connected, sent", "cyan"),
    "wait": ("headers came", "yellow"),
    "first_token": ("first token", "magenta"),
    "stream": ("rest of the answer", "green"),
    "finish": ("reply finished", "dim"),
}
"""The name and the style of each span."""


def _waterfall(call: Call, width: int, *, blocks: bool) -> Iterator[Line]:
    """A bar for each span of each attempt, on one axis."""
    found = list(spans(call.attempts))
    end = max((span.end_s for span in found), default=0.0)
    if not end:
        return
    length = max(10, min(MAX_BAR, width - BAR_MARGIN))
    yield [("Timing", "bold"), (f"{'':<21}until      took", "dim")]
    for span in found:
        name, style = SPANS[span.name]
        label = f"{span.attempt}: {name}" if len(call.attempts) > 1 else name
        drawn = numbers.bar(span.start_s / end, span.end_s / end, length, blocks=blocks)
        took = numbers.seconds(span.end_s - span.start_s)
        times = f"{numbers.seconds(span.end_s):>8}  {took:>8}  "
        yield [(f"  {label:<22}", ""), (times, "dim"), (drawn, style)]


# --- Texts ----------------------------------------------------------------------------------------


def _listed(title: str, texts: Sequence[str]) -> list[Line]:
    if not texts:
        return []
    return [[(title, "bold")], *([(f"  {' '.join(text.split())}", "")] for text in texts)]


def _conversation(conversation: Conversation | None, last: Record) -> Iterator[Line]:
    if conversation is None:
        if last.content == "off" and last.outcome == "ok":
            yield [("The messages were not kept: `ledger.content` is off.", "dim")]
        return
    yield [("Conversation", "bold"), (f"  {conversation.wire}", "dim")]
    if conversation.mode == "hash":
        yield [("  Only the hashes of the messages are kept: `ledger.content` is hash.", "dim")]
    system = conversation.parameters.get("system") or conversation.parameters.get("instructions")
    if system is not None:
        yield from _message("system", _text_of(msgspec.json.decode(system)))
    for raw in (*conversation.messages, *conversation.output):
        yield from _message(*_role_and_text(msgspec.json.decode(raw)))
    if last.finish_reason not in USUAL:
        yield [(f"  (finish reason: {last.finish_reason})", "dim")]


def _message(role: str, text: str) -> Iterator[Line]:
    style = {"user": "green", "assistant": "cyan"}.get(role, "yellow")
    first, *rest = text.splitlines() or [""]
    yield [(f"  {role:<{LABEL}}", style), (first, "")]
    for line in rest:
        yield [(f"  {'':<{LABEL}}", ""), (line, "")]


def _role_and_text(message: Any) -> tuple[str, str]:
    """Of a message in any wire format."""
    if not isinstance(message, dict):
        return "hash", str(message)
    role = str(message.get("role") or message.get("type") or "message")
    members = {key: value for key, value in message.items() if key not in ("role", "id", "status")}
    text = next((members[key] for key in ("content", "parts") if members.get(key)), None)
    calls = members.get("tool_calls") or members.get("function_call")
    pieces = [] if text is None else [_text_of(text)]
    if calls:
        pieces.append(_call_text(calls))
    if not pieces:
        named = {k: v for k, v in members.items() if k != "type" and v not in (None, "", [])}
        pieces.append(_text_of(named) if named else "")
    return role, "\n".join(pieces)


def _call_text(calls: Any) -> str:
    """``get_weather({"city": "Paris"})``"""
    each = calls if isinstance(calls, list) else [calls]
    functions = [one.get("function", one) if isinstance(one, dict) else {} for one in each]
    return "\n".join(f"{one.get('name')}({one.get('arguments', '')})" for one in functions)


def _text_of(content: Any) -> str:
    """Text as it is, anything else by its kind or as JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text_of(part) for part in content)
    if isinstance(content, dict):
        text = content.get("text")
        if isinstance(text, str):
            return text
        return _short_json(content)
    return _short_json(content)


def _short_json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 500 else f"{text[:400]}… ({len(text):,} characters)"


def _feedback(call: Call) -> Iterator[Line]:
    if not call.feedback:
        return
    yield [("Feedback", "bold")]
    for one in call.feedback:
        score = None if one.score is None else f"{one.score:g}"
        parts = [part for part in (score, one.label, one.comment) if part]
        yield [(f"  {numbers.full_time(one.timestamp)}  ", "dim"), (" · ".join(parts), "")]
