from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.routing.retry_budget import RetryBudget


def test_a_single_user_has_a_few_retries_and_gets_them_back_with_time() -> None:
    budget = RetryBudget()
    for _ in range(10):
        assert budget.allows(0.0)
        budget.pay()
    assert not budget.allows(0.0)
    assert not budget.allows(4.9)
    assert budget.allows(5.0)
    budget.pay()
    assert budget.allows(1e6)
    assert budget.tokens == 10.0


def test_calls_add_their_share() -> None:
    budget = RetryBudget(share=0.25, tokens=0.0)
    for _ in range(3):
        budget.calls += 1
        assert not budget.allows(0.0)
    budget.calls += 1
    assert budget.allows(0.0)
    budget.calls += 1000
    assert budget.allows(0.0)
    assert budget.tokens == 10.0


def test_attempts_that_fail_together_make_debts_up_to_a_limit() -> None:
    budget = RetryBudget()
    for _ in range(100):
        budget.pay()
    assert budget.tokens == -10.0


def test_a_clock_that_steps_back_adds_nothing() -> None:
    budget = RetryBudget(tokens=0.0)
    assert not budget.allows(100.0)
    assert not budget.allows(0.0)
    assert not budget.allows(4.0)
    assert budget.allows(5.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=300), st.floats(0, 1))
def test_retries_are_at_most_the_share_of_the_calls_and_the_floor(
    wants: list[tuple[bool, float]], share: float
) -> None:
    """The load on a target that fails: its calls, and the retries that pay in advance."""
    budget, now, retries = RetryBudget(share), 0.0, 0
    budget.allows(now)
    for calls, (wants_retry, passed) in enumerate(wants, start=1):
        now += passed
        budget.calls += 1
        while wants_retry and budget.allows(now):
            budget.pay()
            retries += 1
        assert retries <= budget.floor + share * calls + budget.floor_per_s * now + 1e-6
