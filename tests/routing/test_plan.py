from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from headway.routing.abilities import NO_FACTS, Skipped, TargetFacts
from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.conditions import Table, compile_table
from headway.routing.plan import Plan, find_rest, make_plan
from headway.routing.route import Route, RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.target_state import TargetState
from headway.routing.wishes import NO_WISHES, Wishes

NOW = 1000.0
A, B, C = (RouteTarget(provider="p", model=name) for name in "abc")
GOLD = RouteTarget(provider="p", model="g", condition=compile_table(Table(tags=("gold",))))
REQUEST = RoutedRequest(model="r", dialect="openai", tags=("vip",), input_tokens=100)


class States:
    """The states of targets, of which some have an open breaker or keys that wait."""

    def __init__(self) -> None:
        self.states: dict[str, TargetState] = {}
        self.keys: dict[tuple[str, str], float] = {}

    def target(self, target_id: str) -> TargetState:
        return self.states.setdefault(target_id, TargetState(Breaker(BreakerRule())))

    def key_blocked_s(self, target_id: str, key_id: str, now: float) -> float:
        assert now == NOW
        return self.keys.get((target_id, key_id), 0.0)


def broken(*targets: RouteTarget) -> States:
    """With the breakers of ``targets`` open for fifteen seconds."""
    states = States()
    for each in targets:
        states.target(each.id).breaker.open(NOW)
    return states


def never() -> float:
    raise AssertionError("no chance is needed")


def plan(
    route: Route,
    states: States | None = None,
    facts: Mapping[str, TargetFacts] | None = None,
    rng: Callable[[], float] = never,
    wishes: Wishes = NO_WISHES,
    request: RoutedRequest = REQUEST,
) -> Plan:
    """``facts`` by the name of the model."""
    known = defaultdict(lambda: NO_FACTS, {f"p/{name}": one for name, one in (facts or {}).items()})
    return make_plan(
        route,
        request,
        known,
        states or States(),
        NOW,
        rng,
        wishes,
    )


def ordered(*targets: RouteTarget, **more: Any) -> Route:
    return Route(name="r", targets=targets, **more)


def names(found: Plan) -> str:
    return "".join(each.model for each in found.candidates)


def test_targets_are_tried_in_the_order_of_the_configuration() -> None:
    assert plan(ordered(A, B, C)) == Plan((A, B, C), (), "ordered")


def test_what_cannot_be_used_is_skipped_with_the_reason() -> None:
    vip = RouteTarget(provider="p", model="v", condition=compile_table(Table(tags=("vip",))))
    found = plan(ordered(A, GOLD, vip, C, B), broken(A), {"c": TargetFacts(unusable="has no key")})
    assert found.candidates == (vip, B)
    assert found.skipped == (
        Skipped(GOLD, "is for requests with: tags gold"),
        Skipped(C, "has no key"),
        Skipped(A, "failed lately: rests for 15 s"),
    )


def test_of_a_target_that_failed_one_attempt_at_a_time_tries_it_again() -> None:
    states = broken(A)
    breaker = states.target(A.id).breaker
    breaker.open_until = NOW
    assert names(plan(ordered(A, B), states)) == "ab"
    assert breaker.begin(NOW)
    found = plan(ordered(A, B), states)
    assert found.candidates == (B,)
    assert found.skipped == (Skipped(A, "is being tried again"),)


def test_where_all_failed_lately_all_are_tried() -> None:
    found = plan(ordered(A, B), broken(A, B))
    assert found == Plan((A, B), (), "all failed lately, ordered", is_last_resort=True)


def test_what_rests_is_told_with_the_reason() -> None:
    states, facts = broken(A), TargetFacts(keys=("p#1",))
    states.keys[B.id, "p#1"] = 2.5
    assert find_rest(C.id, facts, states, NOW) is None
    assert find_rest(A.id, facts, states, NOW) == "failed lately: rests for 15 s"
    assert find_rest(B.id, facts, states, NOW) == "has no key to use for 2 s"


def test_where_none_can_be_used_there_is_no_candidate() -> None:
    found = plan(ordered(GOLD))
    assert (found.candidates, found.why) == ((), "ordered")


# --- Keys ---------------------------------------------------------------------------------------


def test_a_target_whose_keys_all_wait_is_skipped() -> None:
    states = States()
    states.keys = {(A.id, "p#1"): 7.4, (A.id, "p#2"): 3.2}
    facts = {"a": TargetFacts(keys=("p#1", "p#2")), "b": TargetFacts(keys=("p#1",))}
    found = plan(ordered(A, B), states, facts)
    assert found.candidates == (B,)
    assert found.skipped == (Skipped(A, "has no key to use for 3 s"),)
    states.keys[B.id, "p#1"] = 2.5
    found = plan(ordered(A, B), states, facts)
    assert (names(found), found.why, found.skipped) == ("ab", "no key is free, ordered", ())
    del states.keys[A.id, "p#2"]
    assert names(plan(ordered(A, B), states, facts)) == "a"


# --- Long prompts -------------------------------------------------------------------------------

SHORT = TargetFacts(context_window=99)
TOO_LONG = "takes 99 tokens, and the prompt has about 100"


def test_a_target_whose_context_is_too_short_is_skipped() -> None:
    found = plan(ordered(A, B), facts={"a": SHORT, "b": TargetFacts(context_window=100)})
    assert found == Plan((B,), (Skipped(A, TOO_LONG),), "ordered")


def test_where_all_contexts_are_too_short_those_for_long_prompts_follow() -> None:
    found = plan(ordered(A, on_context_window=(GOLD, B)), facts={"a": SHORT})
    assert found.candidates == (B,)
    assert found.skipped == (
        Skipped(GOLD, "is for requests with: tags gold"),
        Skipped(A, TOO_LONG),
    )
    assert found.why == "on_context_window, ordered"


def test_data_that_may_be_out_of_date_refuses_no_request() -> None:
    blind = TargetFacts(may_lack=frozenset({"images"}))
    request = RoutedRequest(model="r", dialect="openai", needs=frozenset({"images"}))
    found = plan(ordered(A, B), facts={"a": blind}, request=request)
    assert found == Plan((B,), (Skipped(A, "takes no images"),), "ordered")
    found = plan(ordered(A, B), facts={"a": blind, "b": blind}, request=request)
    assert found == Plan((A, B), (), "none is known to be able to, ordered")


def test_an_estimate_does_not_refuse_a_request() -> None:
    found = plan(ordered(A, C, on_context_window=(B,)), broken(C), {"a": SHORT, "b": SHORT})
    assert found.candidates == (A,)
    assert found.why == "none is known to be able to, ordered"


# --- Order --------------------------------------------------------------------------------------


def test_weighted_targets_come_first_in_proportion_to_their_weights() -> None:
    weights = {"a": 1.0, "b": 3.0, "c": 0.0}
    targets = [RouteTarget(provider="p", model=name, weight=one) for name, one in weights.items()]
    route, rng = ordered(*targets, strategy="weighted"), Random(4).random
    orders = Counter(names(plan(route, rng=rng)) for _ in range(4000))
    assert set(orders) == {"abc", "bac"}
    assert 2850 < orders["bac"] < 3150


def test_the_cheapest_is_that_for_the_tokens_of_the_request() -> None:
    facts = {
        "a": TargetFacts(input_usd=1.0, output_usd=10.0),
        "b": TargetFacts(input_usd=2.0, output_usd=2.0),
        "c": TargetFacts(input_usd=0.1),
    }
    route = ordered(C, A, B, strategy="cheapest")

    def cheapest(input_tokens: int, max_output_tokens: int | None) -> str:
        request = RoutedRequest(
            model="r",
            dialect="openai",
            input_tokens=input_tokens,
            max_output_tokens=max_output_tokens,
        )
        return names(plan(route, facts=facts, rng=lambda: 0.99, request=request))

    assert cheapest(100, None) == "bac"
    assert cheapest(100, 10) == "abc"
    assert cheapest(9000, None) == "abc"


STICKY = RoutedRequest(model="r", dialect="openai", session_id="s-1", prefix="abcd")


def test_a_session_or_the_beginning_of_a_prompt_stays_at_a_target() -> None:
    for sticky in ("session", "prefix"):
        route = ordered(A, B, C, strategy="weighted", sticky=sticky)
        found = plan(route, request=STICKY)
        assert found.why == f"sticky by {sticky}"
        assert {names(plan(route, request=STICKY)) for _ in range(20)} == {names(found)}
        left = plan(route, broken(found.candidates[0]), request=STICKY)
        assert left.candidates == found.candidates[1:]


def test_a_request_without_a_session_is_not_sticky() -> None:
    route = ordered(A, B, strategy="weighted", sticky="session")
    assert plan(route, rng=Random(1).random).why == "weighted"


def test_an_ordered_route_is_never_sticky() -> None:
    assert plan(ordered(A, B, sticky="session"), request=STICKY).why == "ordered"


# --- What the request asks for ------------------------------------------------------------------

NAMED = {name: TargetFacts(names=frozenset({name})) for name in "abc"}


def test_a_request_may_name_the_order() -> None:
    found = plan(ordered(A, B, C), facts=NAMED, wishes=Wishes(order=("c", "x", "b")))
    assert (names(found), found.why) == ("cba", "the request's order")
    wishes = Wishes(order=("c", "b"), allows_fallbacks=False)
    assert names(plan(ordered(A, B, C), facts=NAMED, wishes=wishes)) == "cb"


def test_a_request_may_choose_the_strategy() -> None:
    facts = {
        "a": TargetFacts(input_usd=2.0, output_usd=2.0),
        "b": TargetFacts(input_usd=1.0, output_usd=1.0),
    }
    route = ordered(A, B, strategy="weighted", sticky="session")
    wishes = Wishes(sort="cheapest")
    found = plan(route, None, facts, lambda: 0.99, wishes, STICKY)
    assert (names(found), found.why) == ("ba", "cheapest")


def test_a_request_may_want_no_fallbacks() -> None:
    found = plan(ordered(A, B), wishes=Wishes(allows_fallbacks=False))
    assert (names(found), found.why) == ("a", "ordered, without fallbacks")
    found = plan(ordered(A, B), wishes=Wishes(only=(), max_input_usd=None))
    assert names(found) == "ab"
