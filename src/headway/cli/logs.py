"""``headway logs``: the recorded calls, and one of them in full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import terminal
from headway.cli.call_lookup import find_call
from headway.cli.filter_options import Pairs, read_query, takes_filters
from headway.cli.ledger_access import Ledger, note_no_records, use_ledger
from headway.cli.options import ConfigPath, RecordsAsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.cli.tables import Cells, Layout
    from headway.ledger.store import Filter, LogRow

DEFAULT_ROWS = 25
FOLLOW_S = 0.3
"""How often ``--follow`` asks."""

logs = typer.Typer(invoke_without_command=True)


@logs.callback()
@takes_filters
def list_logs(
    context: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with the calls that end, until Ctrl-C.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="The latest N calls.")
    ] = DEFAULT_ROWS,
    as_json: RecordsAsJson = False,
    config: ConfigPath = None,
    *,
    filters: Pairs,
) -> None:
    """List the recorded calls, the newest at the bottom; `logs show ID` has all of one.

    Reads the database of the configuration, also while no gateway runs.

    Examples:

        headway logs -f
        headway logs --since 24h --status 4xx,5xx
        headway logs --model gpt-4.1 --min-cost 0.01 --json | jq .data[].cost_usd
        headway logs show 3f2a9c1d
    """
    if context.invoked_subcommand is not None:
        return
    where = read_query(filters).where

    async def work(ledger: Ledger) -> None:
        if follow:
            await _follow(ledger, where, limit, as_json=as_json)
        else:
            await _list(ledger, where, limit, as_json=as_json, is_filtered=bool(filters))

    use_ledger(config, work)


@logs.command()
def show(
    call_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="The id of the reply, its first characters as `headway logs` shows them, or the "
            "client's request id. Without one: the latest call.",
        ),
    ] = None,
    as_json: RecordsAsJson = False,
    config: ConfigPath = None,
) -> None:
    """Show one call: its attempts, its bill, where the time went, the messages if they are kept.

    Examples:

        headway logs show
        headway logs show 3f2a9c1d
        headway logs show trace-72f34d3b --json | jq .line_items
    """

    async def work(ledger: Ledger) -> None:
        from headway.cli.call_details import describe_call

        call = await find_call(ledger, call_id)
        if call is None:
            return note_no_records()
        conversation = await ledger.store.conversation(call.id)
        if as_json:
            from headway.ledger import json_views

            return terminal.write_json(
                json_views.encode(json_views.call_details(call, conversation))
            )
        return terminal.write_lines(
            describe_call(
                call,
                conversation,
                terminal.columns(),
                terminal.measure(),
                blocks=terminal.can_draw(),
            )
        )

    use_ledger(config, work)


async def latest_rows(ledger: Ledger, where: Filter, limit: int) -> tuple[list[LogRow], str | None]:
    """The latest calls, the newest first, and the cursor behind them."""
    from headway.ledger.store import MAX_LIMIT

    rows: list[LogRow] = []
    cursor = None
    while len(rows) < limit:
        page = await ledger.store.logs(
            where, limit=min(limit - len(rows), MAX_LIMIT), cursor=cursor
        )
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    return rows, cursor


async def _list(
    ledger: Ledger, where: Filter, limit: int, *, as_json: bool, is_filtered: bool
) -> None:
    from headway.cli.log_table import log_table

    rows, cursor = await latest_rows(ledger, where, limit)
    if as_json:
        from headway.ledger import json_views

        page = {"data": [json_views.log_line(row) for row in rows], "next_cursor": cursor}
        return terminal.write_json(json_views.encode(page))
    if not rows:
        return note_no_records(is_filtered=is_filtered)
    terminal.write_table(log_table(rows, time.time()))
    if cursor is not None and terminal.is_terminal():
        terminal.note(f"the latest {limit:,} calls; -n shows more")
    return None


class _Writer:
    """Writes calls as they come, in the layout of the first ones."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._layout: Layout | None = None

    def write(self, rows: Sequence[LogRow]) -> None:
        """``rows`` are the oldest first."""
        if self._as_json:
            from headway.ledger import json_views

            lines = (json_views.encode(json_views.log_line(row)).decode() + "\n" for row in rows)
            return terminal.write("".join(lines))
        from headway.cli.log_table import log_cells

        now = time.time()
        cells = [log_cells(row, now) for row in rows]
        if terminal.is_terminal():
            return self._write_lines([terminal.one_line(each) for each in cells], now)
        return terminal.write("".join(map(terminal.tab_separated, cells)))

    def _write_lines(self, cells: Sequence[Cells], now: float) -> None:
        from headway.cli import log_table, tables

        measure, lines = terminal.measure(), []
        if self._layout is None:
            likely = tables.Table(log_table.COLUMNS, [*cells, log_table.example_cells(now)])
            self._layout = tables.fit(likely, terminal.columns(), measure, keeps_empty=True)
            lines.append(self._layout.header(measure))
        layout = self._layout
        return terminal.write_lines([*lines, *(layout.line(each, measure) for each in cells)])


async def _follow(ledger: Ledger, where: Filter, limit: int, *, as_json: bool) -> None:
    """Until the user interrupts it, or ``until`` is over."""
    import asyncio

    from headway.ledger.tail import Tail

    writer = _Writer(as_json=as_json)
    rows, _ = await latest_rows(ledger, where, limit)
    tail = Tail(where, rows[-1].last.timestamp if rows else 0.0)
    tail.skip(rows)
    writer.write(rows[::-1])
    while where.until is None or time.time() < where.until:
        await asyncio.sleep(FOLLOW_S)
        await ledger.ship()
        if new := await tail.poll(ledger.store):
            writer.write(new)
        if tail.left_out:
            terminal.note("... more calls than can be shown")
