from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.balance import EXPLORE_SHARE, NO_FLOORS, Candidate, order
from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.route import Floors, RouteTarget, Strategy
from headway.routing.target_state import STALE_S, TargetState
from support.for_each import for_each

NOW = 1000.0
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


def candidate(
    name: str,
    *,
    weight: float = 1.0,
    outstanding: int = 0,
    time: float | None = None,
    rate: float | None = None,
    price: float | None = None,
    measured_at: float = NOW,
) -> Candidate:
    state = TargetState(Breaker(BreakerRule()), outstanding=outstanding)
    if time is not None:
        state.streams.observe(time, measured_at)
    state.streams.tokens_per_second = rate
    return Candidate(RouteTarget(provider="p", model=name, weight=weight), state, price)


def names(ordered: list[Candidate]) -> str:
    return "".join(each.target.model for each in ordered)


def draws(*numbers: float) -> Callable[[], float]:
    return iter(numbers).__next__


def never() -> float:
    """Draws the number that explores nothing."""
    return 0.999


def firsts(
    strategy: Strategy, candidates: list[Candidate], count: int = 4000, floors: Floors = NO_FLOORS
) -> dict[str, float]:
    """The share of requests for which each is the first."""
    rng = random.Random(7).random
    found = Counter(
        order(strategy, candidates, stream=True, now=NOW, rng=rng, floors=floors)[0].target.model
        for _ in range(count)
    )
    return {each.target.model: found[each.target.model] / count for each in candidates}


MEASURES = st.one_of(st.none(), st.floats(0.001, 100))
CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.just("x"),
        weight=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        outstanding=st.integers(0, 3),
        time=MEASURES,
        rate=MEASURES,
        price=MEASURES,
        measured_at=st.sampled_from([0.0, NOW, 2 * NOW]),
    ),
    max_size=5,
)


@given(CANDIDATES, st.sampled_from(STRATEGIES), st.randoms(use_true_random=False), st.booleans())
def test_every_order_has_every_candidate_once(
    candidates: list[Candidate], strategy: Strategy, chance: random.Random, stream: bool
) -> None:
    ordered = order(strategy, candidates, stream=stream, now=NOW, rng=chance.random)
    assert sorted(map(id, ordered)) == sorted(map(id, candidates))


@for_each("strategy", STRATEGIES)
def test_one_candidate_needs_no_choice(strategy: Strategy) -> None:
    one = [candidate("a")]
    assert order(strategy, one, stream=True, now=NOW, rng=draws()) == one
    assert order(strategy, [], stream=True, now=NOW, rng=draws()) == []


def test_ordered_is_as_given() -> None:
    given = [candidate("b", time=9.0), candidate("a", time=1.0)]
    assert order("ordered", given, stream=True, now=NOW, rng=draws()) == given


def test_weights_are_the_shares_of_requests() -> None:
    shares = firsts("weighted", [candidate("a", weight=3), candidate("b"), candidate("c")])
    assert shares["a"] == pytest.approx(0.6, abs=0.03)
    assert shares["b"] == pytest.approx(0.2, abs=0.03)


def test_weight_zero_comes_last() -> None:
    given = [candidate("z", weight=0), candidate("a"), candidate("b", weight=0.001)]
    for seed in range(50):
        rng = random.Random(seed).random
        ordered = order("weighted", given, stream=True, now=NOW, rng=rng)
        assert names(ordered)[-1] == "z"


def test_the_fewest_attempts_for_its_weight_come_first() -> None:
    given = [
        candidate("a", outstanding=2),
        candidate("b", outstanding=3, weight=4),
        candidate("c", weight=0),
    ]
    ordered = order("least_outstanding", given, stream=True, now=NOW, rng=never)
    assert names(ordered) == "bac"


def test_equal_loads_are_shared() -> None:
    shares = firsts("least_outstanding", [candidate("a"), candidate("b"), candidate("c")])
    assert min(shares.values()) == pytest.approx(1 / 3, abs=0.03)


def test_of_two_the_faster_comes_first() -> None:
    given = [candidate("a", time=2.0), candidate("b", time=1.0)]
    assert names(order("lowest_latency", given, stream=True, now=NOW, rng=never)) == "ba"
    busy = [candidate("a", time=2.0), candidate("b", time=1.0, outstanding=2)]
    assert names(order("lowest_latency", busy, stream=True, now=NOW, rng=never)) == "ab"


def test_of_more_the_better_of_two_drawn_comes_first_and_then_the_fastest() -> None:
    given = [candidate("a", time=3.0), candidate("b", time=1.0), candidate("c", time=2.0)]
    ordered = order("lowest_latency", given, stream=True, now=NOW, rng=draws(0.9, 0.9, 0.999))
    assert names(ordered) == "cba", "a and c were drawn"
    shares = firsts("lowest_latency", given)
    assert shares["a"] == 0.0, "the slowest loses against every other"
    assert shares["b"] == pytest.approx(2 / 3, abs=0.03)
    unweighted = [candidate(name, time=1.0, weight=0) for name in "abc"]
    ordered = order("lowest_latency", unweighted, stream=True, now=NOW, rng=never)
    assert sorted(names(ordered)) == ["a", "b", "c"]
    weighted = [candidate("a", time=3.0, weight=0), *given[1:]]
    assert firsts("lowest_latency", weighted)["b"] == 1.0


def test_a_target_that_was_never_measured_is_tried_by_one_request() -> None:
    given = [candidate("a", time=1.0), candidate("b")]
    assert names(order("lowest_latency", given, stream=True, now=NOW, rng=never)) == "ba"
    pending = [candidate("a", time=1.0), candidate("b", outstanding=1)]
    assert firsts("lowest_latency", pending)["b"] == 0.0


@for_each("strategy", ["lowest_latency", "fastest"])
def test_a_target_that_nobody_measured_lately_is_explored_at_the_stated_rate(
    strategy: Strategy,
) -> None:
    old = NOW - STALE_S - 1
    given = [candidate("a", time=1.0, rate=90.0), candidate("b", time=9.0, rate=1.0)]
    assert firsts(strategy, given)["b"] == 0.0
    given[1] = candidate("b", time=9.0, rate=1.0, measured_at=old)
    assert firsts(strategy, given)["b"] == pytest.approx(EXPLORE_SHARE, abs=0.015)
    given[1] = candidate("b", time=9.0, rate=1.0, measured_at=old, outstanding=1)
    assert firsts(strategy, given)["b"] == 0.0, "somebody is measuring it"
    given[1] = candidate("b", time=9.0, rate=1.0, measured_at=old, weight=0)
    assert firsts(strategy, given)["b"] == 0.0


def test_the_cheapest_comes_first_and_an_unknown_price_last() -> None:
    given = [candidate("a"), candidate("b", price=3.0), candidate("c", price=2.0)]
    assert names(order("cheapest", given, stream=True, now=NOW, rng=never)) == "cba"


FLOORS = Floors(time_to_first_token=2.0, tokens_per_second=30.0)


@for_each(
    "cheap, expected",
    [
        (candidate("a", price=1.0), "ab"),
        (candidate("a", price=1.0, time=1.9, rate=31.0), "ab"),
        (candidate("a", price=1.0, time=2.1, rate=31.0), "ba"),
        (candidate("a", price=1.0, time=1.9, rate=29.0), "ba"),
    ],
)
def test_a_cheap_target_must_keep_the_floors(cheap: Candidate, expected: str) -> None:
    given = [cheap, candidate("b", price=2.0, time=1.0, rate=50.0)]
    ordered = order("cheapest", given, stream=True, now=NOW, rng=never, floors=FLOORS)
    assert names(ordered) == expected
    assert names(order("cheapest", given, stream=True, now=NOW, rng=never)) == "ab"


def test_only_what_would_be_cheaper_is_explored() -> None:
    old = NOW - STALE_S - 1
    given = [
        candidate("a", price=1.0, time=9.0, rate=31.0, measured_at=old),
        candidate("b", price=2.0, time=1.0, rate=50.0),
        candidate("c", price=3.0, time=1.0, rate=50.0, measured_at=old),
    ]
    shares = firsts("cheapest", given, floors=FLOORS)
    assert shares["a"] == pytest.approx(EXPLORE_SHARE, abs=0.015)
    assert shares["c"] == 0.0


def test_the_most_tokens_a_second_come_first() -> None:
    given = [candidate("a", time=1.0, rate=50.0), candidate("b", time=1.0, rate=60.0)]
    assert names(order("fastest", given, stream=True, now=NOW, rng=never)) == "ba"
    given[1].state.observe_outcome(True, NOW)
    given[1].state.observe_outcome(True, NOW)
    assert names(order("fastest", given, stream=True, now=NOW, rng=never)) == "ab", "it fails"


def test_a_rate_that_was_never_measured_is_tried_by_one_request() -> None:
    given = [candidate("a", time=1.0, rate=50.0), candidate("b")]
    assert names(order("fastest", given, stream=True, now=NOW, rng=never)) == "ba"
    given = [candidate("a", time=1.0, rate=50.0), candidate("b", outstanding=1)]
    assert names(order("fastest", given, stream=True, now=NOW, rng=never)) == "ab"


@for_each("strategy", [each for each in STRATEGIES if each != "ordered"])
def test_no_target_starves(strategy: Strategy) -> None:
    """Each request takes as long as its target, and all targets cost the same."""
    given = [candidate(name, price=1.0) for name in "abc"]
    times, rates, rng = {"a": 0.1, "b": 1.0, "c": 5.0}, {"a": 90, "b": 30, "c": 5}, random.Random(3)
    served, running, now = Counter[str](), [], 0.0
    for _ in range(6000):
        now += 0.1
        for end, each in [one for one in running if one[0] <= now]:
            running.remove((end, each))
            each.state.outstanding -= 1
            each.state.streams.observe(times[each.target.model], now)
            each.state.streams.observe_rate(rates[each.target.model], 1.0)
        floors = Floors(time_to_first_token=0.5)
        ordered = order(strategy, given, stream=True, now=now, rng=rng.random, floors=floors)
        first = ordered[0]
        first.state.outstanding += 1
        served[first.target.model] += 1
        running.append((now + times[first.target.model], first))
    if strategy == "cheapest":  # the others may not be used, and are no cheaper
        assert served["a"] > 5900
    else:
        assert min(served.values()) >= 5, served
