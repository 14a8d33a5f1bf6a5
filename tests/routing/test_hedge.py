from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.hedge import MIN_SAMPLES, HedgeBudget, hedge_delay
from headway.routing.recent_times import FRESH_S, MAX_AGE_S
from headway.routing.target_state import Speed


def test_the_delay_is_the_95th_percentile_of_enough_times() -> None:
    speed = Speed()
    for at in range(MIN_SAMPLES):
        assert hedge_delay(speed, float(at)) is None
        speed.observe(3.0 if at >= 18 else 1.0, float(at))
    assert hedge_delay(speed, float(MIN_SAMPLES)) == pytest.approx(3.0)


def test_old_times_say_nothing_about_a_delay() -> None:
    speed = Speed()
    for _ in range(30):
        speed.observe(1.0, 0.0)
    assert hedge_delay(speed, MAX_AGE_S) == 1.0
    assert hedge_delay(speed, MAX_AGE_S + FRESH_S) is None


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20))), st.floats(0, 1))
def test_hedges_are_never_more_than_the_share_of_the_calls(
    rounds: list[tuple[int, int]], share: float
) -> None:
    budget, calls, hedges = HedgeBudget(share), 0, 0
    for more_calls, wanted in rounds:
        calls += more_calls
        for _ in range(more_calls):
            budget.count_call()
        before = hedges
        while budget.allows and hedges - before < wanted:
            budget.pay()
            hedges += 1
        assert hedges <= share * calls + 1e-6
        assert hedges - before <= budget.most


def test_the_budgets_of_routes_are_limited_together() -> None:
    whole = HedgeBudget(share=0.5)
    one, two = HedgeBudget(share=1.0, whole=whole), HedgeBudget(share=1.0, whole=whole)
    one.count_call()
    assert not one.allows
    two.count_call()
    assert one.allows
    one.pay()
    assert (one.tokens, two.tokens, whole.tokens) == (0.0, 1.0, 0.0)
    assert not two.allows
