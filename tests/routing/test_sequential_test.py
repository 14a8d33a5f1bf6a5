from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt
from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.sequential_test import (
    MIN_SAMPLES,
    TUNED_FOR,
    Comparison,
    Sample,
    _best_ratio,
    _half_width,
    compare,
    samples_needed,
)

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50)


@given(VALUES)
def test_a_sample_has_the_mean_and_the_variance_of_its_values(values: list[float]) -> None:
    one = Sample.of(values)
    other = Sample.from_sums(len(values), sum(values), sum(value * value for value in values))
    for found in (one, other):
        assert found.count == len(values)
        assert found.mean == pytest.approx(mean(values), abs=1e-6)
        assert found.variance == pytest.approx(variance(values), abs=1e-3, rel=1e-6)


def test_few_values_have_no_variance() -> None:
    assert Sample.of([]) == Sample.from_sums(0, 0.0, 0.0) == Sample()
    assert Sample.of([3.0]) == Sample.from_sums(1, 3.0, 9.0) == Sample(1, 3.0, 0.0)


def test_nothing_is_concluded_from_few_samples() -> None:
    few, enough = Sample(MIN_SAMPLES - 1, 1.0, 1.0), Sample(MIN_SAMPLES, 9.0, 1.0)
    assert compare(few, enough) is None
    assert compare(enough, few) is None
    assert compare(enough, enough) is not None


def test_the_verdict_says_which_is_lower() -> None:
    low, high = Sample(1000, 1.0, 1.0), Sample(1000, 2.0, 1.0)
    verdicts = [compare(*pair) for pair in ((low, high), (high, low), (low, low))]
    assert [found and found.verdict for found in verdicts] == [
        "a is lower",
        "b is lower",
        "no difference found",
    ]
    found = compare(low, high)
    assert found is not None
    assert found.difference == 1.0
    assert (found.low + found.high) / 2 == pytest.approx(1.0)


def test_equal_values_without_variance_do_not_differ() -> None:
    same = Sample(1000, 0.5, 0.0)
    assert compare(same, same) == Comparison(0.0, 0.0, 0.0)
    assert compare(same, same).verdict == "no difference found"  # type: ignore[union-attr]
    dearer = Sample(1000, 0.6, 0.0)
    assert compare(same, dearer).verdict == "a is lower"  # type: ignore[union-attr]


@given(st.integers(MIN_SAMPLES, 10**6), st.integers(MIN_SAMPLES, 10**6), st.floats(0.001, 0.5))
def test_the_interval_is_wider_than_one_that_may_be_looked_at_only_once(
    count: int, other: int, alpha: float
) -> None:
    a, b = Sample(count, 1.0, 4.0), Sample(other, 1.0, 9.0)
    found = compare(a, b, alpha)
    stricter = compare(a, b, alpha / 2)
    assert found is not None
    assert stricter is not None
    assert found.high > sqrt(4.0 / count + 9.0 / other)
    assert stricter.high > found.high


def test_the_mixture_is_nearly_the_best_for_the_tuned_size() -> None:
    for alpha in (0.1, 0.05, 0.01):
        ratios = [_best_ratio(alpha) * factor for factor in (0.5, 0.8, 1.25, 2.0)]
        others = [_half_width(1.0, ratio / _best_ratio(alpha), alpha) for ratio in ratios]
        assert _half_width(1.0, 1.0, alpha) < min(others) * 1.005
    assert TUNED_FOR > MIN_SAMPLES


SKEWED: dict[str, Callable[[random.Random], float]] = {
    "costs": lambda rng: rng.lognormvariate(0, 1),
    "times": lambda rng: rng.expovariate(1.0),
    "feedback": lambda rng: float(rng.random() < 0.1),
}


@pytest.mark.parametrize("kind", SKEWED)
def test_whoever_looks_after_every_value_is_rarely_misled(kind: str) -> None:
    """150 comparisons of a target with itself, each looked at some hundred times. The ordinary
    interval is the contrast: it misleads more than three times as often as it promises."""
    rng, alpha, count, size = random.Random(11), 0.05, 150, 1000
    misled = naive = 0
    for _ in range(count):
        found, ordinary = look_often(SKEWED[kind], rng, size, alpha)
        misled += found
        naive += ordinary
    assert misled <= alpha * count
    assert naive >= 3 * alpha * count


def look_often(
    draw: Callable[[random.Random], float], rng: random.Random, size: int, alpha: float
) -> tuple[bool, bool]:
    """Whether the sequence, and an ordinary interval, found a difference at any time."""
    sums, squares, found, ordinary = [0.0, 0.0], [0.0, 0.0], False, False
    for count in range(1, size + 1):
        for side in (0, 1):
            value = draw(rng)
            sums[side] += value
            squares[side] += value * value
        if count < MIN_SAMPLES or count % 5:
            continue
        a, b = (Sample.from_sums(count, sums[side], squares[side]) for side in (0, 1))
        comparison = compare(a, b, alpha)
        assert comparison is not None
        found = found or comparison.verdict != "no difference found"
        error = sqrt((a.variance + b.variance) / count)
        ordinary = ordinary or abs(comparison.difference) > 1.96 * error
    return found, ordinary


def test_a_real_difference_is_found() -> None:
    rng = random.Random(5)
    found = 0
    for _ in range(20):
        cheap = Sample.of(rng.lognormvariate(0, 0.5) for _ in range(3000))
        dear = Sample.of(rng.lognormvariate(0.2, 0.5) for _ in range(3000))
        comparison = compare(cheap, dear)
        found += comparison is not None and comparison.verdict == "a is lower"
    assert found == 20


def test_the_samples_that_are_still_needed_tell_the_difference() -> None:
    a, b = Sample(200, 1.0, 4.0), Sample(100, 1.2, 4.0)
    more = samples_needed(a, b)
    assert more is not None
    growth = 1 + more / 300
    grown = [Sample(round(each.count * growth), each.mean, each.variance) for each in (a, b)]
    found = compare(*grown)
    assert found is not None
    assert found.verdict == "a is lower"
    assert samples_needed(Sample(5000, 1.0, 4.0), Sample(5000, 2.0, 4.0)) == 0
    assert samples_needed(Sample(MIN_SAMPLES // 2, 1.0, 0.0), Sample(900, 2.0, 0.0)) == 950


def test_samples_of_the_same_mean_or_of_none_need_no_number() -> None:
    same = Sample(500, 1.0, 1.0)
    assert samples_needed(same, same) is None
    assert samples_needed(same, Sample()) is None
