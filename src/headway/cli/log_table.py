"""Calls as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from headway.cli import number_formats as numbers
from headway.cli.tables import Cell, Cells, Column, Table
from headway.ledger.store import LogRow
from headway.record import Record

SHORT_ID = 8
"""The first characters of an id that a table shows, and that ``logs show`` takes."""
COLUMNS = (
    Column("Time", style="dim"),
    Column("Id", style="cyan"),
    Column("Model", least=26),
    Column("In", is_right=True),
    Column("Out", is_right=True),
    Column("Cost", is_right=True),
    Column("TTFT", is_right=True),
    Column("Took", is_right=True),
    Column("Tok/s", is_right=True, rank=3),
    Column("HTTP", is_right=True),
    Column("Result", least=14, rank=1),
    Column("Session", least=10, rank=2, style="dim"),
)
UNKNOWN = Cell("unknown", "dim")
STYLES = {"ok": "green", "error": "red", "refused": "red", "cancelled": "yellow"}
"""By outcome."""
USUAL = ("stop", "end_turn", None)
"""Finish reasons that say nothing."""


def log_table(rows: Sequence[LogRow], now: float) -> Table:
    """``rows`` are the newest first; the newest call is at the bottom of the table."""
    return Table(COLUMNS, [log_cells(row, now) for row in reversed(rows)])


def log_cells(row: LogRow, now: float) -> Cells:
    last = row.last
    return (
        numbers.clock_time(last.timestamp, now),
        short_id(last.call_id or last.id),
        model_name(last),
        tokens(last.input_tokens, last),
        tokens(last.output_tokens, last),
        cost(row),
        numbers.seconds(last.time_to_first_token_s),
        numbers.seconds(last.latency_s),
        numbers.speed(last.tokens_per_second),
        Cell("" if last.status is None else str(last.status), STYLES[last.outcome]),
        Cell(result(last), "" if last.outcome == "ok" else STYLES[last.outcome]),
        last.session_id or "",
    )


def short_id(text: str) -> str:
    """Of a UUID its first group, of any other id all."""
    is_uuid = len(text) == 36 and text[SHORT_ID] == "-"
    return text[:SHORT_ID] if is_uuid else text


def model_name(record: Record) -> str:
    """``provider/model``, or the path of a request that was passed through."""
    name = record.model or record.native_path or record.route
    if record.provider is None:
        return name
    return f"{record.provider}/{name}" if record.model else f"{record.provider}: {name}"


def tokens(number: int | None, record: Record) -> str:
    """With a tilde where the provider did not report them."""
    is_exact = number is None or record.tokens_source in ("reported", None)
    return numbers.count(number) if is_exact else f"~{numbers.count(number)}"


def cost(row: LogRow) -> str | Cell:
    """Empty where no provider was asked; else an unknown cost is unknown, not zero."""
    if row.cost_usd is not None:
        return numbers.amount(row.cost_usd)
    return "" if row.last.outcome in ("refused", "error") else UNKNOWN


def result(record: Record) -> str:
    """What was not as usual."""
    parts = [f"{record.attempts} attempts"] if record.attempts > 1 else []
    if record.outcome == "cancelled":
        parts.append("cancelled")
    elif record.outcome != "ok":
        parts.append(record.error_code or record.error_type or record.outcome)
    elif record.finish_reason not in USUAL:
        parts.append(str(record.finish_reason))
    return ", ".join(parts)


def example_cells(now: float) -> Cells:
    """A long row, for the widths of a table whose rows are not known yet."""
    return (
        numbers.clock_time(now, now), "3f2a9c1d", "provider/the-name-of-a-model", "10,000", "1,000",
        "$0.00123", "1.234s", "12.345s", "123.4", "200", "rate_limit_error", "session-12",
    )  # fmt: skip
