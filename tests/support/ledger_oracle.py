"""What a store should answer, worked out from all records in the plainest way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import cache
from itertools import product
from typing import Any, get_args

from bench.ledger_records import START, generate_records
from msgspec.structs import replace

from headway.ledger.store import Filter
from headway.metering.histogram import Histogram, bucket_of
from headway.record import CacheStatus, Record

from .ledger_stores import round_times

MINUTES = "%Y-%m-%dT%H:%M:00Z"
TIMES = {
    "minute": MINUTES,
    "five_minutes": MINUTES,
    "hour": "%Y-%m-%dT%H:00:00Z",
    "day": "%Y-%m-%d",
    "month": "%Y-%m",
}
Sums = dict[tuple[str | None, ...], dict[str, Any]]
"""Group -> the fields of ``Usage``."""
Metrics = list[tuple[str, int, float]]
"""Name, bucket and value of each metric that a record has."""
FIELDS = {"key": "key_id", "session": "session_id", "route": "route_name"}


def add_routes(records: Sequence[Record]) -> list[Record]:
    """Some of the records as those of routes, with a cache and copies to another target."""
    found = []
    for at, record in enumerate(records):
        if at % 3 == 0:
            record = replace(record, route_name="smart" if at % 2 else "fast")
        if at % 9 == 0:
            status = CACHES[at % len(CACHES)]
            saved = f"0.00{at}1" if status in ("hit", "coalesced") else None
            record = replace(record, cache=status, saved_usd=saved)
        if at % 11 == 0 and record.is_last and record.call_id == record.id and record.attempt == 1:
            record = replace(record, role="shadow", shadow_of=records[at - 1].call_id)
        found.append(record)
    return found


CACHES = get_args(CacheStatus)


def ends_call(record: Record) -> bool:
    return record.is_last and record.role != "shadow"


def microseconds(record: Record) -> int:
    return round(record.timestamp * 1e6)


def matches_record(where: Filter, record: Record) -> bool:
    """What is asked of each attempt."""
    at = microseconds(record)
    checks = (
        where.since is None or at >= round(where.since * 1e6),
        where.until is None or at < round(where.until * 1e6),
        not where.providers or record.provider in where.providers,
        not where.models or record.model in where.models or record.deployment in where.models,
        not where.dialects or record.dialect in where.dialects,
        not where.keys or record.key_id in where.keys,
        where.owner is None or record.key_id == where.owner,
        not where.sessions or record.session_id in where.sessions,
        not where.users or record.user in where.users,
        not where.tags or set(record.tags) & set(where.tags),
        not where.outcomes or record.outcome in where.outcomes,
        not where.statuses or _is_within(record.status, where.statuses),
        not where.routes or record.route_name in where.routes,
        not where.roles or record.role in where.roles,
        not where.caches or record.cache in where.caches,
        not where.ids or {record.call_id, record.request_id} & set(where.ids),
    )
    return all(checks)


def _is_within(status: int | None, ranges: Sequence[tuple[int, int]]) -> bool:
    return status is not None and any(low <= status <= high for low, high in ranges)


def matches_call(where: Filter, last: Record, cost: Decimal | None) -> bool:
    """What is asked of a call."""
    checks = (
        where.min_cost_usd is None or (cost is not None and cost >= where.min_cost_usd),
        where.max_cost_usd is None or (cost is not None and cost <= where.max_cost_usd),
        where.min_latency_s is None
        or (last.latency_s is not None and last.latency_s >= where.min_latency_s),
        where.max_latency_s is None
        or (last.latency_s is not None and last.latency_s <= where.max_latency_s),
    )
    return all(checks)


def group_calls(records: Iterable[Record]) -> dict[str, list[Record]]:
    calls: dict[str, list[Record]] = {}
    for record in records:
        calls.setdefault(record.call_id, []).append(record)
    return calls


def cost_of(attempts: Iterable[Record]) -> Decimal | None:
    costs = [Decimal(each.cost_usd) for each in attempts if each.cost_usd is not None]
    with localcontext(prec=100):
        return sum(costs, Decimal(0)) if costs else None


@cache
def sample_records() -> list[Record]:
    """900 generated ones of 50 minutes."""
    return add_routes([round_times(record) for record in generate_records(900, 3, 3000.0)])


@cache
def sample_oracle() -> Oracle:
    return Oracle(sample_records())


class Oracle:
    """What all questions about the records have in common is worked out once."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._calls = [(each, cost_of(each)) for each in group_calls(records).values()]
        self._metrics = {
            each.id: _metrics(each, cost) for attempts, cost in self._calls for each in attempts
        }

    def find_logs(self, where: Filter) -> list[tuple[str, Decimal | None]]:
        """Id of the last attempt, and the call's cost: the newest first."""
        found = []
        for attempts, cost in self._calls:
            found += [
                (microseconds(last), last.id, cost)
                for last in attempts
                if (ends_call(last) or (last.is_last and "shadow" in where.roles))
                and matches_record(where, last)
                and matches_call(where, last, cost)
            ]
        return [(id_, cost) for _, id_, cost in sorted(found, key=lambda row: row[0], reverse=True)]

    def find_attempts(self, where: Filter) -> list[Record]:
        found = []
        for attempts, cost in self._calls:
            last = next((each for each in attempts if each.is_last), None)
            if last is None:
                if not matches_call(where, replace(attempts[0], latency_s=None), None):
                    continue
            elif not matches_call(where, last, cost):
                continue
            found += [each for each in attempts if matches_record(where, each)]
        return sorted(found, key=microseconds)

    def sum_usage(self, where: Filter, *bys: Sequence[str]) -> list[Sums]:
        """For each of ``bys``."""
        attempts = self.find_attempts(where)
        return [self._sum(attempts, by) for by in bys]

    def _sum(self, attempts: Iterable[Record], by: Sequence[str]) -> Sums:
        groups: Sums = {}
        for record in attempts:
            for group in product(*[_values(record, name) for name in by]):
                _add(groups.setdefault(group, new_sums()), record, self._metrics[record.id])
        return groups


def _values(record: Record, name: str) -> Sequence[str | None]:
    if name in TIMES:
        at = record.timestamp // 300 * 300 if name == "five_minutes" else record.timestamp
        return (datetime.fromtimestamp(at, UTC).strftime(TIMES[name]),)
    if name == "tag":
        return record.tags or (None,)
    return (getattr(record, FIELDS.get(name, name)),)


def new_sums() -> dict[str, Any]:
    sums = dict.fromkeys(("cost_usd", "estimated_usd", "saved_usd"), Decimal(0))
    return {**sums, "histograms": {}, "gaps": {}}


def _add(sums: dict[str, Any], record: Record, metrics: Metrics) -> None:
    def count(name: str, number: int | None) -> None:
        sums[name] = sums.get(name, 0) + (number or 0)

    count("attempts", record.attempt > 0)
    for name in ("input", "output", "cache_read", "cache_write", "reasoning"):
        count(f"{name}_tokens", getattr(record, f"{name}_tokens"))
    is_success = record.upstream_status is not None and 200 <= record.upstream_status < 300
    count("unpriced", record.cost_usd is None and is_success)
    cost = Decimal(record.cost_usd or 0)
    with localcontext(prec=100):
        sums["cost_usd"] += cost
        if record.tokens_source in ("counted", "estimated") and record.cost_source == "computed":
            sums["estimated_usd"] += cost
    sums["saved_usd"] += Decimal(record.saved_usd or 0)
    count("calls", ends_call(record))
    count("failed", ends_call(record) and record.outcome != "ok")
    if not ends_call(record):
        return
    for name, bucket, value in metrics:
        histogram = sums["histograms"].setdefault(name, Histogram({}))
        histogram.merge_counts([(bucket, 1)])
        histogram.total += value
    for bucket, number in record.gap_counts:
        sums["gaps"][bucket] = sums["gaps"].get(bucket, 0) + number


def _metrics(record: Record, call_cost: Decimal | None) -> Metrics:
    values = {
        name: getattr(record, name)
        for name in (
            "latency_s", "time_to_first_token_s", "time_to_first_byte_s", "inter_token_latency_s",
            "gateway_overhead_s",
        )
    } | {"cost_usd": None if call_cost is None else float(call_cost)}  # fmt: skip
    return [(name, bucket_of(value), value) for name, value in values.items() if value is not None]


def filters(records: list[Record]) -> Iterator[Filter]:
    """Of many kinds, for generated records."""
    one = records[40]
    yield Filter()
    yield Filter(since=START + 100.0, until=START + 900.0)
    yield Filter(until=START + 500.0, providers=("openai",))
    for name in ("provider", "model", "dialect", "user", "outcome"):
        for value in {getattr(each, name) for each in records[:60]} - {None}:
            yield Filter(**{f"{name}s": (value,)})
    yield Filter(models=(str(one.deployment), "gpt-4.1"))
    yield Filter(keys=("00000003", "00000004"), outcomes=("error", "refused"))
    yield Filter(owner="00000000", users=("user-0",))
    yield Filter(sessions=tuple({each.session_id for each in records[:30] if each.session_id}))
    yield Filter(tags=("team:1",))
    yield Filter(tags=("feature:3", "feature:4", "x"), models=("gpt-4.1-mini",))
    yield Filter(statuses=((429, 429),))
    yield Filter(statuses=((400, 499), (503, 503)), keys=("00000001",))
    yield Filter(min_cost_usd=Decimal("0.02"))
    yield Filter(max_cost_usd=Decimal("0.0001"), min_latency_s=1.0)
    yield Filter(min_latency_s=6.0)
    yield Filter(min_latency_s=2.0, max_latency_s=2.1, providers=("openai", "anthropic"))
    yield Filter(ids=(one.call_id, records[50].request_id, "nothing"))
    yield Filter(ids=(one.call_id,), owner="somebody else")
    yield Filter(users=("nobody",))
    yield Filter(routes=("smart", "nothing"))
    yield Filter(routes=("smart",), caches=("miss", "hit"), models=("gpt-4.1", "gpt-4.1-mini"))
    yield Filter(caches=("coalesced",))
    yield Filter(roles=("shadow",))
    yield Filter(roles=("shadow", "first"), routes=("fast",))
    yield Filter(roles=("retry", "hedge"))
    yield Filter(models=())


def read_all(read: Any, where: Filter, limit: int) -> list[Any]:
    """All pages."""
    rows: list[Any] = []
    cursor = None
    while True:
        page = read(where, limit=limit, cursor=cursor)
        found, cursor = page if isinstance(page, tuple) else (page.rows, page.next_cursor)
        assert len(found) <= limit
        rows += found
        if cursor is None:
            return rows
        assert found
