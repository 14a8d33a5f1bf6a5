"""Parts of cells: what one part keeps is what was added, whatever the numbers are."""

from __future__ import annotations

from decimal import Decimal

from tests.support.ledger_stores import make_record

from headway.ledger.rows import Gaps, encode_rows, gaps_of, keys_of
from headway.ledger.store import HISTOGRAM_METRICS, Usage
from headway.ledger.usage_parts import (
    Cell,
    Contribution,
    contributions_of,
    correct_call_cost,
    flags_of,
    merge_parts,
)
from headway.record import Record

EVERY = range(len(HISTOGRAM_METRICS))


def contribute(*records: Record) -> tuple[list[Contribution], list[Gaps | None]]:
    keys = [keys_of(record) for record in records]
    gaps = [gaps_of(record) for record in records]
    rows = encode_rows(records, [[None] * len(records)] * 6, gaps)
    flags = [flags_of(each.profile, each.terms) for each in keys]
    costs = [None if each.cost_usd is None else picodollars(each.cost_usd) for each in records]
    return contributions_of(rows, flags, costs, gaps), gaps


def picodollars(dollars: str) -> int:
    return int(Decimal(dollars) * 10**12)


def add(*records: Record) -> Cell:
    cell = Cell()
    cell.add(*contribute(*records))
    return cell


def usage_of(parts: bytes) -> Usage:
    cell = Cell()
    cell.add_parts(parts, EVERY)
    return cell.to_usage({}, HISTOGRAM_METRICS)


def test_parts_add_up_to_the_records_before_and_after_they_are_merged() -> None:
    records = [
        make_record(at, latency_s=at / 7, cost_usd=f"0.{at}", gap_counts=((at, at + 1), (900, 1)))
        for at in range(1, 600)
    ]
    expected = add(*records).to_usage({}, HISTOGRAM_METRICS)
    for size in (1, 5, 300, 599):
        batches = [records[at : at + size] for at in range(0, len(records), size)]
        parts = b"".join(add(*batch).encode() for batch in batches)
        assert usage_of(parts) == expected
        assert usage_of(merge_parts(parts)) == expected
        assert usage_of(merge_parts(merge_parts(parts) + merge_parts(parts))).calls == 2 * 599


def test_a_few_records_are_kept_as_they_are_and_many_are_counted() -> None:
    few, many = (add(*[make_record(at) for at in range(n)]).encode() for n in (3, 3000))
    assert len(few) < 150
    assert len(many) < 200


def test_a_value_is_in_the_bucket_that_histograms_have_for_it() -> None:
    for latency_s in (0.0, 1e-6, 0.5, 1.02, 86400.0):
        usage = usage_of(add(make_record(1, latency_s=latency_s)).encode())
        expected = usage.histograms["latency_s"]
        expected.counts, counts = {}, dict(expected.counts)
        expected.add(latency_s)
        assert counts == expected.counts


def test_attempts_that_end_no_call_have_sums_only() -> None:
    part = add(make_record(1, is_last=False), make_record(2, is_last=False)).encode()
    for parts in (part, merge_parts(part + part)):
        usage = usage_of(parts)
        assert (usage.calls, usage.input_tokens) == (0, usage.attempts * 1000)
        assert usage.histograms["latency_s"].count == usage.histograms["latency_s"].total == 0


def test_sums_of_nonsense_are_the_largest_number() -> None:
    part = add(*[make_record(at, input_tokens=2**62) for at in range(5)]).encode()
    assert usage_of(part).input_tokens == 2**63 - 1
    assert usage_of(merge_parts(part * 3)).input_tokens == 2**63 - 1
    part = add(*[make_record(at, input_tokens=-(2**62)) for at in range(5)]).encode()
    assert usage_of(part).input_tokens == -(2**63 - 1)


def test_costs_are_exact_beyond_what_an_integer_of_the_database_holds() -> None:
    costs = ("4000000", "4000000.000000000000000001", "0.0000000000000000002")
    part = add(*[make_record(at, cost_usd=cost) for at, cost in enumerate(costs)]).encode()
    assert usage_of(merge_parts(part + part)).cost_usd == 2 * sum(map(Decimal, costs))


def test_a_correction_replaces_the_cost_of_a_call() -> None:
    part = add(make_record(1, cost_usd="0.5")).encode()
    corrected = part + correct_call_cost(picodollars("0.5"), picodollars("0.75"))
    for parts in (corrected, merge_parts(corrected)):
        histogram = usage_of(parts).histograms["cost_usd"]
        assert (histogram.count, histogram.total) == (1, 0.75)
    first = add(make_record(1, cost_usd=None)).encode() + correct_call_cost(None, picodollars("1"))
    assert usage_of(first).histograms["cost_usd"].total == 1.0
