"""``headway sessions``: conversations of several calls, and the calls of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.errors import ERROR_REPLY, CommandError
from headway.cli.filter_options import Pairs, read_query, takes_filters
from headway.cli.ledger_access import Ledger, note_no_records, use_ledger
from headway.cli.logs import latest_rows
from headway.cli.options import ConfigPath, RecordsAsJson
from headway.cli.tables import Cells, Column, Table

if TYPE_CHECKING:
    from headway.ledger.json_views import ConversationView
    from headway.ledger.store import Filter, Session

DEFAULT_ROWS = 25
COLUMNS = (
    Column("Last call", style="dim"),
    Column("Session", style="cyan", least=16),
    Column("Calls", is_right=True),
    Column("Failed", is_right=True, style="red"),
    Column("In", is_right=True),
    Column("Out", is_right=True),
    Column("Cost", is_right=True),
    Column("Length", is_right=True, rank=1),
    Column("User", least=8, rank=3),
    Column("Models", least=12, rank=2),
)


@takes_filters
def sessions(
    session_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Show this session, call by call.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="The latest N sessions.")
    ] = DEFAULT_ROWS,
    as_json: RecordsAsJson = False,
    config: ConfigPath = None,
    *,
    filters: Pairs,
) -> None:
    """List sessions, the latest at the bottom, or the calls of one.

    A session is what clients name by `session_id` or the header `x-headway-session`.

    Examples:

        headway sessions --since 7d
        headway sessions session-12
        headway sessions session-12 --json | jq .calls[].id
    """
    own = [] if session_id is None else [("session", session_id.replace(",", "\\,"))]
    where = read_query([*filters, *own]).where

    async def work(ledger: Ledger) -> None:
        if session_id is not None:
            await _show(ledger, session_id, where, limit, as_json=as_json)
        else:
            await _list(ledger, where, limit, as_json=as_json, is_filtered=bool(filters))

    use_ledger(config, work)


async def _list(
    ledger: Ledger, where: Filter, limit: int, *, as_json: bool, is_filtered: bool
) -> None:
    rows, cursor = await _latest_sessions(ledger, where, limit)
    if as_json:
        from headway.ledger import json_views

        page = {"data": [json_views.session_view(row) for row in rows], "next_cursor": cursor}
        return terminal.write_json(json_views.encode(page))
    if not rows:
        note_no_records("sessions", is_filtered=is_filtered)
        return terminal.note(
            "a call belongs to a session where its client sends `session_id`, or the header "
            "x-headway-session"
        )
    now = time.time()
    return terminal.write_table(Table(COLUMNS, [_cells(row, now) for row in reversed(rows)]))


async def _latest_sessions(
    ledger: Ledger, where: Filter, limit: int
) -> tuple[list[Session], str | None]:
    from headway.ledger.store import MAX_LIMIT

    rows: list[Session] = []
    cursor = None
    while len(rows) < limit:
        most = min(limit - len(rows), MAX_LIMIT)
        page = await ledger.store.sessions(where, limit=most, cursor=cursor)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    return rows, cursor


def _cells(session: Session, now: float) -> Cells:
    return (
        numbers.clock_time(session.ended, now),
        session.id,
        numbers.count(session.calls),
        numbers.count(session.failed) if session.failed else "",
        numbers.count(session.input_tokens),
        numbers.count(session.output_tokens),
        numbers.amount(session.cost_usd),
        numbers.span(max(0.0, session.ended - session.started)),
        session.user or "",
        ", ".join(session.models),
    )


async def _show(
    ledger: Ledger, session_id: str, where: Filter, limit: int, *, as_json: bool
) -> None:
    from headway.cli.log_table import log_table

    page = await ledger.store.sessions(where, limit=1)
    rows, cursor = await latest_rows(ledger, where, limit)
    if not page.rows:
        raise CommandError(
            f"there is no session {session_id}",
            hint="`headway sessions` lists the latest ones",
            code=ERROR_REPLY,
        )
    session = page.rows[0]
    if as_json:
        from headway.ledger import json_views

        details = {
            "session": json_views.session_view(session),
            "data": [json_views.log_line(row) for row in reversed(rows)],
            "next_cursor": cursor,
            "conversation": await _last_conversation(ledger, session_id),
        }
        return terminal.write_json(json_views.encode(details))
    terminal.write_table(log_table(rows, time.time()))
    if terminal.is_terminal():
        terminal.note(_summary(session))
        if cursor is not None:
            terminal.note(f"the latest {limit:,} calls; -n shows more")
    return None


async def _last_conversation(ledger: Ledger, session_id: str) -> ConversationView | None:
    """That of the last call whose messages are kept."""
    from headway.ledger.json_views import conversation_view

    history = await ledger.store.session_history(session_id)
    content = await ledger.store.conversation(history[-1]) if history else None
    return None if content is None else conversation_view(content)


def _summary(session: Session) -> str:
    parts = (
        f"{session.calls:,} calls in {numbers.span(max(0.0, session.ended - session.started))}",
        f"{session.input_tokens:,} tokens in",
        f"{session.output_tokens:,} out",
        "cost unknown" if session.cost_usd is None else numbers.exact_amount(session.cost_usd),
        f"user {session.user}" if session.user else None,
        f"key {session.key_id}" if session.key_id else None,
    )
    return " · ".join(part for part in parts if part)
