from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.target_state import (
    ERROR_HALF_LIFE_S,
    LATENCY_DECAY_S,
    MIN_TOKENS,
    PENDING_S,
    STALE_S,
    Speed,
    TargetState,
)


def state() -> TargetState:
    return TargetState(Breaker(BreakerRule(failures=1, cool_down_s=10.0)))


def test_a_slower_answer_counts_at_once_and_a_faster_one_by_and_by() -> None:
    speed = Speed()
    speed.observe(1.0, 0.0)
    speed.observe(3.0, 0.0)
    assert speed.peak_s == 3.0
    speed.observe(1.0, LATENCY_DECAY_S)
    assert speed.peak_s == pytest.approx(1.0 + 2.0 * exp(-1))
    speed.observe(1.0, 1e6)
    assert speed.peak_s == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0.001, 100), st.floats(-50, 50)), min_size=1))
def test_the_peak_stays_among_the_values_whatever_the_clock_does(
    values: list[tuple[float, float]],
) -> None:
    speed, now = Speed(), 0.0
    for seconds, passed in values:
        now += passed
        speed.observe(seconds, now)
        assert speed.peak_s is not None
        assert speed.peak_s >= seconds * (1 - 1e-9)
        assert speed.peak_s <= max(each for each, _ in values) * (1 + 1e-9)


def test_silence_counts_where_it_is_longer_than_usual() -> None:
    speed = Speed()
    speed.observe_silence(2.0, 0.0)
    assert speed.peak_s == 2.0
    speed.observe_silence(1.0, 100.0)
    assert speed.peak_s == 2.0
    assert speed.measured_at == 0.0
    speed.observe_silence(5.0, 100.0)
    assert speed.peak_s == 5.0
    assert speed.recent.percentile(50, 100.0) is None, "it is no time to a first token"


def test_a_rate_is_the_mean_of_the_last_ones() -> None:
    speed = Speed()
    speed.observe_rate(MIN_TOKENS - 1, 1.0)
    speed.observe_rate(100, 0.0)
    assert speed.tokens_per_second is None
    speed.observe_rate(100, 2.0)
    assert speed.tokens_per_second == 50.0
    speed.observe_rate(100, 1.0)
    assert speed.tokens_per_second == 60.0


def test_a_whole_answer_tells_its_time_and_its_rate_at_once() -> None:
    whole, apart = Speed(), Speed()
    for tokens, seconds in ((100, 2.0), (300, 1.0), (MIN_TOKENS - 1, 1.0), (100, 0.0)):
        whole.observe(seconds, 0.0, tokens)
        apart.observe(seconds, 0.0)
        apart.observe_rate(tokens, seconds)
        assert whole == apart


def test_what_was_not_measured_lately_is_stale() -> None:
    speed = Speed()
    assert speed.is_stale(0.0)
    speed.observe(1.0, 100.0)
    assert not speed.is_stale(100.0 + STALE_S)
    assert speed.is_stale(100.1 + STALE_S)
    assert speed.is_stale(99.0), "the clock stepped back"


def test_streams_and_whole_answers_are_measured_apart() -> None:
    target = state()
    target.speed(True).observe(1.0, 0.0)
    target.speed(False).observe(9.0, 0.0)
    assert target.expected_s(True, 0.0) == 1.0
    assert target.expected_s(False, 0.0) == 9.0


def test_an_unmeasured_target_is_the_first_choice_until_somebody_tries_it() -> None:
    target = state()
    assert target.expected_s(True, 0.0) == 0.0
    target.outstanding = 1
    assert target.expected_s(True, 0.0) >= PENDING_S


def test_attempts_under_way_and_errors_make_a_target_slower() -> None:
    target = state()
    target.streams.observe(2.0, 0.0)
    target.outstanding = 3
    assert target.expected_s(True, 0.0) == 8.0
    target.observe_outcome(True, 0.0)
    assert target.expected_s(True, 0.0) == pytest.approx(10.0)
    for _ in range(100):
        target.observe_outcome(True, 0.0)
    assert target.expected_s(True, 0.0) == pytest.approx(160.0)


def test_the_share_of_errors_falls_with_successes_and_with_time() -> None:
    target = state()
    target.observe_outcome(False, 0.0)
    assert target.errors(0.0) == 0.0
    target.observe_outcome(True, 0.0)
    assert target.errors(0.0) == pytest.approx(0.2)
    target.observe_outcome(False, 0.0)
    assert target.errors(0.0) == pytest.approx(0.16)
    assert target.errors(ERROR_HALF_LIFE_S) == pytest.approx(0.08)
    assert target.errors(-10.0) == pytest.approx(0.16)


def test_it_admits_no_attempt_while_its_breaker_is_open_or_being_tried() -> None:
    target = state()
    assert target.admits(0.0)
    target.breaker.fail(0.0)
    assert not target.admits(7.5)
    assert target.admits(10.0)
    target.breaker.begin(10.0)
    assert not target.admits(11.0)
