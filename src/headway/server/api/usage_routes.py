"""What calls used and cost: by group, and beside the provider's own figures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from headway.ledger import queries, usage_views
from headway.ledger.json_views import reconciliation, reconciliation_total
from headway.ledger.queries import Query
from headway.ledger.store import Filter, Usage
from headway.ledger.usage_views import Period, UsageReport
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer


async def usage(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Sums, means and percentiles by group, their total, and the period before where it is asked
    for."""
    query = request.read(takes=("by", "metric", "compare"))
    before = queries.previous_period(query.where, request.now) if query.compares else None
    now = await _period(ledger, query, query.where)
    report = UsageReport(
        since=now.since,
        until=now.until,
        data=now.data,
        total=now.total,
        note=now.note,
        by=query.by,
        previous=None if before is None else await _period(ledger, query, before),
    )
    return await asyncio.to_thread(answer, report)


async def _period(ledger: Ledger, query: Query, where: Filter) -> Period:
    rows, errors = await asyncio.gather(
        ledger.reader.ask(lambda store: store.usage(where, query.by, metrics=query.metrics)),
        ledger.reader.ask(lambda store: usage_views.count_errors(store, where, query.by)),
    )
    if "tag" in query.by:  # a call counts in each of its tags
        all_rows: Sequence[Usage] = await ledger.reader.ask(
            lambda store: store.usage(where, (), metrics=query.metrics)
        )
    else:
        all_rows = rows
    return await asyncio.to_thread(usage_views.period, rows, all_rows, where, errors)


async def reconcile(ledger: Ledger, request: LedgerRequest) -> Answer:
    """The gateway's computation beside the provider's own figure, where there are both: the largest
    difference first. The total is that of the page."""
    query = request.read(takes=("limit",))
    records = await ledger.reader.ask(
        lambda store: store.reconcilable(query.where, limit=query.limit)
    )
    rows = [reconciliation(record) for record in records]
    note = None
    if len(rows) == query.limit:
        note = f"The {query.limit} records with the largest differences; there may be more."
    return answer({"data": rows, "total": reconciliation_total(rows), "note": note})
