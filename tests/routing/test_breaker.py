from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.routing.breaker import PROBE_S, Breaker, BreakerRule

RULE = BreakerRule(
    failures=3, error_share=0.5, minimum=10, window_s=30.0, cool_down_s=10.0, max_cool_down_s=60.0
)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(RULE)
    breaker.open(now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(RULE)
    assert breaker.fail(0.0) is None
    assert breaker.fail(1.0) is None
    assert breaker.state(1.0) == "closed"
    assert breaker.admits(1.0)
    assert breaker.fail(2.0) == 10.0
    assert breaker.state(2.0) == "open"
    assert breaker.blocked_s(5.0) == 7.0
    assert not breaker.admits(11.9)


def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker(RULE)
    for at in range(0, 300, 100):
        assert breaker.fail(at) is None
        assert breaker.fail(at) is None
        breaker.succeed(at)
    assert breaker.state(8.0) == "closed"


def test_a_share_of_failures_opens_it_once_there_are_enough_attempts() -> None:
    breaker = Breaker(RULE)
    for _ in range(4):
        breaker.succeed(0.0)
        assert breaker.fail(0.0) is None
    breaker.succeed(0.0)
    assert breaker.fail(0.0) == 10.0


def test_attempts_count_for_one_to_two_windows() -> None:
    for passed, opens in ((29.0, True), (59.0, True), (61.0, False), (1e6, False), (-1e6, True)):
        breaker = Breaker(RULE)
        for _ in range(4):
            breaker.fail(0.0)
            breaker.succeed(0.0)
        assert breaker.fail(passed) is None
        breaker.succeed(passed)
        assert (breaker.fail(passed) is not None) is opens, passed


def test_a_window_follows_the_one_before() -> None:
    breaker = Breaker(RULE)
    for at in (0.0, 31.0, 62.0):
        for _ in range(2):
            breaker.fail(at)
            breaker.succeed(at)
    assert breaker.fail(62.0) is None, "9 attempts in the last two windows"
    breaker.succeed(62.0)
    assert breaker.fail(62.0) == 10.0


def test_half_open_admits_one_probe_at_a_time() -> None:
    breaker = opened()
    assert breaker.state(10.0) == "half_open"
    assert breaker.admits(10.0)
    assert breaker.blocked_s(10.0) == 0.0
    assert breaker.begin(10.0) is True
    assert not breaker.admits(10.0)
    assert breaker.begin(10.0) is False
    breaker.release(is_probe=False)
    assert not breaker.admits(11.0)
    breaker.release(is_probe=True)
    assert breaker.admits(11.0)


def test_the_probe_closes_it() -> None:
    breaker = opened()
    is_probe = breaker.begin(12.0)
    assert breaker.succeed(13.0, is_probe) is True
    assert breaker.state(13.0) == "closed"
    assert breaker.begin(13.0) is False
    assert breaker.blocked_s(13.0) == 0.0


def test_the_probe_opens_it_for_longer_each_time_up_to_a_limit() -> None:
    breaker, now, waits = opened(), 10.0, []
    for _ in range(5):
        waits.append(breaker.fail(now, breaker.begin(now)))
        assert waits[-1] is not None
        now += waits[-1]
    assert waits == [20.0, 40.0, 60.0, 60.0, 60.0]


def test_a_huge_growth_is_limited_too() -> None:
    rule = BreakerRule(failures=1, growth=10.0, cool_down_s=1.0, max_cool_down_s=100.0)
    breaker = Breaker(rule, openings=10**6)
    assert breaker.open(0.0) == 100.0


def test_cool_downs_begin_small_again_after_a_good_time() -> None:
    breaker = opened()
    breaker.succeed(10.0, breaker.begin(10.0))
    assert breaker.open(39.0) == 20.0
    breaker.succeed(59.0, breaker.begin(59.0))
    assert breaker.open(89.0) == 10.0


def test_the_wait_that_the_provider_asks_for_is_the_cool_down() -> None:
    breaker = Breaker(BreakerRule(failures=1, cool_down_s=10.0, max_cool_down_s=60.0))
    assert breaker.fail(0.0, wait_s=3.5) == 3.5
    assert breaker.fail(4.0, breaker.begin(4.0), wait_s=3600.0) == 60.0


def test_a_late_failure_prolongs_the_cool_down_only_with_a_longer_wait() -> None:
    breaker = opened()
    assert breaker.fail(1.0) is None
    assert breaker.fail(1.0, wait_s=5.0) is None
    assert breaker.blocked_s(1.0) == 9.0
    assert breaker.fail(1.0, wait_s=30.0) == 30.0
    assert breaker.blocked_s(1.0) == 30.0
    assert breaker.openings == 1


def test_it_follows_that_of_another_process() -> None:
    breaker = Breaker(RULE)
    breaker.follow(0.0, 30.0)
    assert (breaker.blocked_s(0.0), breaker.openings) == (30.0, 1)
    breaker.follow(1.0, 10.0)
    breaker.follow(1.0, 40.0)
    assert (breaker.blocked_s(1.0), breaker.openings) == (40.0, 1)
    breaker.begin(41.0)
    breaker.follow(41.0, 60.0)
    assert (breaker.blocked_s(41.0), breaker.openings) == (60.0, 2)
    assert breaker.probe_started is None


def test_what_was_under_way_when_it_opened_does_not_close_it() -> None:
    breaker = opened()
    assert breaker.succeed(1.0) is False
    assert breaker.state(1.0) == "open"


def test_an_attempt_against_an_open_breaker_is_a_probe() -> None:
    breaker = opened()
    assert breaker.fail(1.0, breaker.begin(1.0)) is None
    assert breaker.blocked_s(1.0) == 9.0
    assert breaker.succeed(1.0, breaker.begin(1.0)) is True


def test_a_probe_that_never_ends_is_forgotten() -> None:
    breaker = opened()
    breaker.begin(10.0)
    assert not breaker.admits(10.0 + PROBE_S - 1)
    assert breaker.admits(10.0 + PROBE_S)


def test_a_clock_that_steps_back_stands_still_for_it() -> None:
    breaker = opened(1000.0)
    assert breaker.blocked_s(1004.0) == 6.0
    assert breaker.blocked_s(4.0) == 6.0
    assert breaker.admits(10.0)
    breaker.begin(10.0)
    assert not breaker.admits(-5000.0)
    assert breaker.admits(-5000.0 + PROBE_S)


def test_a_clock_that_jumps_ahead_ends_the_cool_down() -> None:
    breaker = opened()
    assert breaker.admits(1e9)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "succeed", "fail", "fail_wait", "release", "late_fail"]),
        st.one_of(st.floats(0, 30), st.sampled_from([0.0, 1e6, -1e6, -3.0])),
    ),
    max_size=60,
)


@given(STEPS)
def test_at_most_one_probe_runs_and_it_always_recovers(steps: list[tuple[str, float]]) -> None:
    breaker, now, running, last_probe = Breaker(RULE), 0.0, [], None
    for action, passed in steps:
        now += passed
        if passed > 0 and last_probe is not None:
            last_probe += passed
        if action == "begin" and breaker.admits(now):
            is_probe = breaker.begin(now)
            if is_probe:
                assert True not in running or (last_probe or 0.0) >= PROBE_S * 0.999
                last_probe = 0.0
            running.append(is_probe)
        elif action == "late_fail":
            breaker.fail(now, wait_s=passed)
        elif running:
            is_probe = running.pop()
            if action == "succeed":
                breaker.succeed(now, is_probe)
            elif action == "release":
                breaker.release(is_probe)
            else:
                breaker.fail(now, is_probe, 7.0 if action == "fail_wait" else None)
        assert breaker.blocked_s(now) <= RULE.max_cool_down_s
    now += RULE.max_cool_down_s + PROBE_S
    assert breaker.admits(now)
    breaker.succeed(now, breaker.begin(now))
    assert breaker.state(now) == "closed"
