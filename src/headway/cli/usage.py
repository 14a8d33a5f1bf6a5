"""``headway usage``: what was called, and what it cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import terminal
from headway.cli.filter_options import Pairs, read_query, takes_filters
from headway.cli.ledger_access import Ledger, note_no_records, use_ledger
from headway.cli.options import ConfigPath, RecordsAsJson

if TYPE_CHECKING:
    from headway.ledger.queries import Query

DEFAULT_BY = "model"
DEFAULT_SINCE = "30d"


@takes_filters
def usage(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="NAMES",
            help="Group by these, separated by commas: provider, model, deployment, key, user, "
            "tag, session, dialect, outcome, route, cache, minute, five_minutes, hour, day, month.",
        ),
    ] = DEFAULT_BY,
    as_json: RecordsAsJson = False,
    config: ConfigPath = None,
    *,
    filters: Pairs,
) -> None:
    """Show calls, tokens and cost by model, or by what --by names, with percentiles.

    Without --since the last 30 days. Percentiles are of all calls of a group, within 1%. Hours,
    days and months are in UTC. Copies of calls to another target cost, and are no calls. The column
    Saved is there where the cache saved something.

    Examples:

        headway usage
        headway usage --by model,day --since 7d
        headway usage --by user --tag team:search --since 2026-11-01
        headway usage --by key,month --json | jq .data[].cost_usd
    """
    names = {name for name, _ in filters}
    given = filters if "since" in names else [*filters, ("since", DEFAULT_SINCE)]
    query = read_query(given, [("by", by)])

    async def work(ledger: Ledger) -> None:
        if as_json:
            await _write_json(ledger, query)
        else:
            await _write_table(ledger, query, is_filtered=bool(filters))

    use_ledger(config, work)


async def _write_json(ledger: Ledger, query: Query) -> None:
    from headway.ledger import json_views, usage_views

    where = query.where
    groups = await ledger.store.usage(where, query.by)
    disjoint = await ledger.store.usage(where) if "tag" in query.by else groups
    errors = await usage_views.count_errors(ledger.store, where, query.by)
    period = usage_views.period(groups, disjoint, where, errors)
    fields = {name: getattr(period, name) for name in period.__struct_fields__}
    terminal.write_json(json_views.encode(usage_views.UsageReport(by=query.by, **fields)))


async def _write_table(ledger: Ledger, query: Query, *, is_filtered: bool) -> None:
    from headway.cli import usage_table
    from headway.ledger import usage_views

    now, where, metrics = time.time(), query.where, usage_table.METRICS
    groups = await ledger.store.usage(where, query.by, metrics=metrics)
    if not groups:
        return note_no_records(is_filtered=is_filtered)
    disjoint = groups
    if "tag" in query.by:  # a call counts in each of its tags
        disjoint = await ledger.store.usage(where, metrics=metrics)
    overall = usage_views.merge(disjoint)
    is_drawn = terminal.is_terminal()
    by = usage_table.times_first(query.by)
    trend = usage_table.choose_trend(by, where, now) if is_drawn else None
    points = (
        ()
        if trend is None
        else await ledger.store.usage(where, (*query.by, trend.unit), metrics=())
    )
    blocks = is_drawn and terminal.can_draw()
    terminal.write_table(usage_table.usage_table(by, groups, overall, trend, points, blocks=blocks))
    if is_drawn:
        for line in usage_table.footnotes(where, overall, now):
            terminal.note(line)
    return None
