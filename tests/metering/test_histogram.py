from __future__ import annotations

import random

import pytest

from headway.metering.histogram import (
    SMALLEST,
    ZERO,
    BucketCounts,
    Histogram,
    bucket_of,
    count_ascending,
    value_of,
)
from support.for_each import for_each


def test_a_buckets_value_is_within_one_percent_of_all_in_it() -> None:
    numbers = random.Random(3)
    for _ in range(2000):
        value = 10 ** numbers.uniform(-8.9, 6)
        assert value_of(bucket_of(value)) == pytest.approx(value, rel=0.0100001)


def test_values_too_small_to_tell_from_nothing_have_a_bucket_of_their_own() -> None:
    for value in (0.0, -1.0, SMALLEST):
        assert bucket_of(value) == ZERO
    assert value_of(ZERO) == 0.0


def test_percentiles_are_those_of_the_values_by_nearest_rank() -> None:
    histogram = Histogram({})
    for value in range(1, 101):
        histogram.add(value / 1000)
    for percent in (1, 50, 95, 99, 100):
        assert histogram.percentile(percent) == pytest.approx(percent / 1000, rel=0.011)
    assert histogram.mean == pytest.approx(0.0505)


def test_the_sum_of_two_histograms_is_the_histogram_of_all_values() -> None:
    first, second, both = Histogram({}), Histogram({}), Histogram({})
    for at in range(500):
        value = 0.001 * (at * 7919 % 503)
        (first if at % 3 else second).add(value)
        both.add(value)
    first.merge(second)
    assert first.counts == both.counts
    assert first.total == pytest.approx(both.total)
    assert first.count == 500


def test_counts_alone_can_be_added() -> None:
    histogram = Histogram({5: 1})
    histogram.merge_counts([(5, 2), (7, 1)])
    assert histogram.counts == {5: 3, 7: 1}


def test_an_empty_histogram_has_neither_mean_nor_percentile() -> None:
    assert Histogram({}).mean is None
    assert Histogram({}).percentile(50) is None


@for_each(
    "values",
    [[], [0.0], [SMALLEST, 1.0], [0.001] * 9 + [0.002, 0.5, 0.5], [3e5, 4e5, 4e5], [1e-9, 2e-9]],
)
def test_ascending_values_are_counted_as_one_by_one(values: list[float]) -> None:
    histogram = Histogram({})
    for value in values:
        histogram.add(value)
    assert dict(merged(count_ascending(values))) == histogram.counts


def test_many_ascending_values_are_counted_as_one_by_one() -> None:
    numbers = random.Random(5)
    values = sorted(numbers.lognormvariate(-4, 2) for _ in range(3000))
    histogram = Histogram({})
    for value in values:
        histogram.add(value)
    assert dict(count_ascending(values)) == histogram.counts


def merged(counts: BucketCounts) -> dict[int, int]:
    histogram = Histogram({})
    histogram.merge_counts(counts)
    return histogram.counts
