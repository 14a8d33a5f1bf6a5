"""Usage as JSON: sums, percentiles, totals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.ledger import usage_views
from headway.ledger.store import Filter, Usage
from headway.ledger.usage_views import distribution, merge, period, usage_row
from headway.metering.histogram import Histogram


def histogram(*values: float) -> Histogram:
    found = Histogram({})
    for value in values:
        found.add(value)
    return found


def group(name: str, calls: int, *latencies: float) -> Usage:
    return Usage(
        group={"model": name},
        calls=calls,
        attempts=calls,
        input_tokens=10 * calls,
        output_tokens=calls,
        cost_usd=Decimal("0.01") * calls,
        histograms={"latency_s": histogram(*latencies)},
    )


def test_nothing_has_no_percentiles() -> None:
    found = distribution(Histogram({}))
    assert (found.count, found.sum) == (0, 0.0)
    assert found.mean is found.p50 is found.p95 is found.p99 is None


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60))
def test_percentiles_are_those_of_the_histogram(values: list[float]) -> None:
    merged = histogram(*values)
    found = distribution(merged)
    assert found.p50 == merged.percentile(50)
    assert found.p95 == merged.percentile(95)
    assert found.p99 == merged.percentile(99)
    assert found.count == len(values)


def test_a_row_has_exact_dollars_and_all_sums() -> None:
    row = usage_row(group("a", 3, 1.0, 2.0, 3.0))
    assert row.group == {"model": "a"}
    assert (row.calls, row.total_tokens) == (3, 33)
    assert (row.cost_usd, row.cost_usd_exact) == (0.03, "0.03")
    assert row.metrics["latency_s"].mean == 2.0
    assert row.gaps is None


def test_a_cost_that_nobody_knows_is_not_zero() -> None:
    unknown = Usage(group={}, calls=2, attempts=2, unpriced=2)
    assert (usage_row(unknown).cost_usd, usage_row(unknown).cost_usd_exact) == (None, None)
    partly = usage_row(merge([unknown, group("a", 1, 1.0)]))
    assert (partly.cost_usd_exact, partly.unpriced) == ("0.01", 2)
    free = usage_row(Usage(group={}, calls=1, attempts=1))
    assert (free.cost_usd, free.cost_usd_exact) == (0.0, "0")


def test_percentiles_of_a_total_come_from_the_merged_distribution() -> None:
    slow, fast = group("a", 1, 100.0), group("b", 99, *[1.0] * 99)
    slow.gaps = histogram(0.5)
    total = usage_row(merge([slow, fast]))
    assert (total.calls, total.cost_usd_exact) == (100, "1")
    latency = total.metrics["latency_s"]
    assert latency.p50 == latency.p99 == pytest.approx(1.0, rel=0.01)
    assert latency.sum == 199.0
    assert total.gaps is not None
    assert total.gaps.count == 1


def test_merging_leaves_the_groups_as_they_were() -> None:
    one = group("a", 1, 1.0)
    merge([one, group("b", 1, 2.0)])
    assert one.histograms["latency_s"].count == 1


def test_too_many_rows_are_cut_off_with_a_note_and_a_whole_total() -> None:
    rows = [group(str(number), 1) for number in range(usage_views.MAX_GROUPS + 1)]
    found = period(rows, rows, Filter(since=0.0))
    assert len(found.data) == usage_views.MAX_GROUPS
    assert found.total.calls == len(rows)
    assert found.note is not None
    assert str(len(rows)) in found.note
    assert found.since == "1970-01-01T00:00:00.000000Z"
    assert found.until is None
    assert period(rows[:1], rows[:1], Filter()).note is None
