"""Compares what is in the database with what clients saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from headway.ledger import spool_reader
from headway.ledger.store import Filter, Store, Usage
from headway.ledger.stores import new_store
from headway.record import Record
from load import Load, Seen


@dataclass
class Audit:
    """What was found."""

    sent: int
    """Requests."""
    seen: int
    """Requests whose client saw the end of the reply."""
    records: int
    calls: int
    missing: int = 0
    """Replies that were seen and have no record."""
    doubled: int = 0
    """Attempts with more than one record."""
    problems: list[str] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.problems


async def audit(url: str, load: Load, spools: Sequence[Path]) -> Audit:
    """After the gateways of ``spools`` have ended."""
    store = new_store(url)
    await store.open(migrates=False)
    try:
        records = await _all_records(store)
        calls = {record.call_id or record.id for record in records}
        found = Audit(len(load.sent), len(load.seen), len(records), len(calls))
        found.problems += load.errors[:3]
        _compare(found, load, records)
        await _check_sums(found, store, records)
        found.problems += await store.check()
        positions = await store.positions()
        for spool in spools:
            if rest := spool_reader.count_unstored_lines(str(spool), positions):
                found.problems.append(f"{rest} lines of {spool} are not stored")
        return found
    finally:
        await store.close()


async def _all_records(store: Store) -> list[Record]:
    records: list[Record] = []
    cursor: str | None = None
    while True:
        page, cursor = await store.attempts(Filter(), cursor=cursor)
        records += page
        if cursor is None:
            return records


def _compare(found: Audit, load: Load, records: Sequence[Record]) -> None:
    by_request: dict[str, list[Record]] = {}
    for record in records:
        by_request.setdefault(record.request_id, []).append(record)
    unknown = by_request.keys() - load.sent
    if unknown:
        found.problems.append(f"{len(unknown)} requests are in the database and were never sent")
    ids = Counter(record.id for record in records)
    found.doubled = sum(count - 1 for count in ids.values())
    for request_id, attempts in by_request.items():
        numbers = Counter(record.attempt for record in attempts)
        if max(numbers.values()) > 1:
            found.doubled += 1
            found.problems.append(f"request {request_id} has the attempts {sorted(numbers)}")
    for seen in load.seen:
        attempts = by_request.get(seen.request_id, [])
        if seen.status == 503:
            if attempts:
                found.problems.append(f"request {seen.request_id} was refused, and has a record")
        elif not attempts:
            found.missing += 1
        elif problem := _difference(seen, attempts):
            found.problems.append(f"request {seen.request_id}: {problem}")
    if found.missing:
        found.problems.append(f"{found.missing} replies were seen and have no record")
    if found.doubled:
        found.problems.append(f"{found.doubled} records are doubled")


def _difference(seen: Seen, attempts: Sequence[Record]) -> str | None:
    """What differs between a reply and its records."""
    if len(attempts) != seen.attempts:
        return f"{seen.attempts} attempts have {len(attempts)} records"
    last = max(attempts, key=lambda record: record.attempt)
    if last.status != seen.status:
        return f"the status {last.status} should be {seen.status}"
    if not last.is_last:
        return "the last attempt is not marked as the last"
    if seen.tokens:
        if (last.input_tokens, last.output_tokens) != (seen.tokens, seen.tokens):
            tokens = last.input_tokens, last.output_tokens
            return f"the tokens {tokens} should be {seen.tokens} each"
        if last.cost_usd is None or Decimal(last.cost_usd) != seen.cost_usd:
            return f"the cost {last.cost_usd} should be {seen.cost_usd}"
    return None


async def _check_sums(found: Audit, store: Store, records: Sequence[Record]) -> None:
    """The sums by hour are those over the records."""
    for by in ((), ("model", "day"), ("outcome",), ("key", "hour")):
        usage = await store.usage(Filter(), by)  # type: ignore[arg-type]
        sums = _sum(usage)
        expected = _expected(found.calls, records)
        for name, value in expected.items():
            if sums[name] != value:
                what = f"usage by {', '.join(by) or 'nothing'}"
                found.problems.append(f"{what}: {name} is {sums[name]}, the records say {value}")


def _expected(calls: int, records: Sequence[Record]) -> dict[str, object]:
    return {
        "attempts": len(records),
        "calls": sum(record.is_last for record in records),
        "input_tokens": sum(record.input_tokens or 0 for record in records),
        "output_tokens": sum(record.output_tokens or 0 for record in records),
        "cost_usd": sum((Decimal(each.cost_usd or 0) for each in records), Decimal(0)),
        "latencies": sum(record.is_last and record.latency_s is not None for record in records),
    }


def _sum(usage: Sequence[Usage]) -> dict[str, object]:
    return {
        "attempts": sum(each.attempts for each in usage),
        "calls": sum(each.calls for each in usage),
        "input_tokens": sum(each.input_tokens for each in usage),
        "output_tokens": sum(each.output_tokens for each in usage),
        "cost_usd": sum((each.cost_usd for each in usage), Decimal(0)),
        "latencies": sum(
            each.histograms["latency_s"].count for each in usage if "latency_s" in each.histograms
        ),
    }
