from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.decayed_histogram import BUCKETS, GROWTH, SMALLEST_S, DecayedHistogram


def test_without_values_there_is_no_percentile() -> None:
    histogram = DecayedHistogram()
    assert histogram.percentile(95, 0.0) is None
    assert histogram.count(0.0) == 0.0


@given(st.lists(st.floats(0.001, 1000), min_size=1), st.floats(1, 100))
def test_a_percentile_is_within_five_percent(values: list[float], percent: float) -> None:
    histogram = DecayedHistogram()
    for value in values:
        histogram.add(value, 0.0)
    exact = sorted(values)[ceil(percent / 100 * len(values) * (1 - 1e-9)) - 1]
    assert histogram.percentile(percent, 0.0) == pytest.approx(exact, rel=0.05)
    assert histogram.count(0.0) == pytest.approx(len(values))


def test_values_outside_of_the_buckets_are_in_the_outermost() -> None:
    short, long = DecayedHistogram(), DecayedHistogram()
    short.add(0.0, 0.0)
    long.add(1e9, 0.0)
    assert short.percentile(50, 0.0) == pytest.approx(SMALLEST_S, rel=0.05)
    assert long.percentile(50, 0.0) == pytest.approx(SMALLEST_S * GROWTH ** (BUCKETS - 1), rel=0.05)


def test_the_weight_of_a_value_falls_by_half_in_the_half_life() -> None:
    histogram = DecayedHistogram(half_life_s=10.0)
    histogram.add(1.0, 5.0)
    histogram.add(1.0, 5.0)
    assert histogram.count(15.0) == pytest.approx(1.0)
    assert histogram.count(25.0) == pytest.approx(0.5)


def test_new_values_outweigh_many_old_ones() -> None:
    histogram = DecayedHistogram(half_life_s=10.0)
    for _ in range(100):
        histogram.add(1.0, 0.0)
    for _ in range(10):
        histogram.add(5.0, 100.0)
    assert histogram.percentile(50, 100.0) == pytest.approx(5.0, rel=0.05)


def test_weights_stay_small_over_a_long_time() -> None:
    histogram = DecayedHistogram(half_life_s=1.0)
    for at in range(0, 5000, 7):
        histogram.add(2.0, float(at))
        assert 1.0 <= histogram.count(float(at)) < 1.02
    histogram.add(3.0, 1e9)
    assert histogram.count(1e9) == pytest.approx(1.0)
    assert histogram.percentile(50, 1e9) == pytest.approx(3.0, rel=0.05)


def test_a_clock_that_steps_back_keeps_the_values() -> None:
    histogram = DecayedHistogram()
    histogram.add(1.0, 1e6)
    histogram.add(2.0, 10.0)
    assert histogram.count(10.0) == pytest.approx(2.0, rel=0.01)
    assert histogram.percentile(100, 10.0) == pytest.approx(2.0, rel=0.05)


def test_a_percentile_is_computed_once_a_second() -> None:
    histogram = DecayedHistogram()
    histogram.add(1.0, 0.0)
    first = histogram.percentile(95, 0.0)
    histogram.add(9.0, 0.5)
    assert histogram.percentile(95, 0.9) == first
    assert histogram.percentile(25, 0.9) == first
    assert histogram.percentile(95, 0.9) == pytest.approx(9.0, rel=0.05), "another percentile"
    assert histogram.percentile(95, 1.9) == pytest.approx(9.0, rel=0.05)
    assert histogram.percentile(95, -50.0) == pytest.approx(9.0, rel=0.05)
