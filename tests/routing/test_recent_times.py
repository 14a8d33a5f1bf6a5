from __future__ import annotations

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from headway.routing.recent_times import KEPT, MAX_AGE_S, RecentTimes


def test_without_values_there_is_no_percentile() -> None:
    assert RecentTimes().percentile(95, 0.0) is None


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=600), st.integers(1, 100))
def test_a_percentile_is_that_of_the_last_values(values: list[float], percent: int) -> None:
    times = RecentTimes()
    for value in values:
        times.values.append((0.0, value))
    last = sorted(values[-KEPT:])
    assert times.percentile(percent, 0.0) == last[ceil(percent * len(last) / 100) - 1]


def test_of_too_few_values_there_is_none() -> None:
    times = RecentTimes()
    times.values.append((0.0, 1.0))
    assert times.percentile(95, 0.0, least=2) is None
    times.values.append((0.0, 2.0))
    assert times.percentile(95, 1.0, least=2) == 2.0


def test_old_values_do_not_count() -> None:
    times = RecentTimes()
    times.values.append((0.0, 9.0))
    times.values.append((10.0, 1.0))
    assert times.percentile(100, MAX_AGE_S) == 9.0
    assert times.percentile(100, MAX_AGE_S + 10.0) == 1.0
    assert times.percentile(100, -1e6) is None, "the clock stepped back"


def test_a_percentile_is_computed_once_a_second() -> None:
    times = RecentTimes()
    times.values.append((0.0, 1.0))
    assert times.percentile(95, 0.0) == 1.0
    times.values.append((0.5, 9.0))
    assert times.percentile(95, 0.9) == 1.0
    assert times.percentile(100, 0.9) == 9.0, "another percentile"
    assert times.percentile(95, 0.9) == 9.0
    times.values.append((1.0, 5.0))
    assert times.percentile(95, -1.0) == 9.0
