from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from headway.routing.conditions import Table, compile_table
from headway.routing.plan import Plan, Skipped, TargetFacts, TargetStates, make_plan
from headway.routing.route import Route, RouteTarget
from headway.routing.routed_request import RoutedRequest

A, B, C = (RouteTarget(provider="p", model=name) for name in "abc")
REQUEST = RoutedRequest(model="r", dialect="openai", tags=("vip",))


class Closed:
    """The targets that are closed, each with its reason."""

    def __init__(self, **reasons: str) -> None:
        self.reasons: Mapping[str, str] = reasons

    def closed_reason(self, target_id: str, now: float) -> str | None:
        assert now == 1000.0
        return self.reasons.get(target_id.partition("/")[2])


def usable(target: RouteTarget) -> TargetFacts:
    return TargetFacts()


def never() -> float:
    raise AssertionError("no chance is needed")


def plan(
    route: Route,
    states: TargetStates | None = None,
    facts_of: Callable[[RouteTarget], TargetFacts] = usable,
    rng: Callable[[], float] = never,
) -> Plan:
    return make_plan(route, REQUEST, facts_of, states, 1000.0, rng)


def test_targets_are_tried_in_the_order_of_the_configuration() -> None:
    assert plan(Route(name="r", targets=(A, B, C))) == Plan((A, B, C), (), "ordered")


def test_what_cannot_be_used_is_skipped_with_the_reason() -> None:
    vip = RouteTarget(provider="p", model="v", condition=compile_table(Table(tags=("vip",))))
    gold = RouteTarget(provider="p", model="g", condition=compile_table(Table(tags=("gold",))))

    def facts_of(target: RouteTarget) -> TargetFacts:
        return TargetFacts(unusable="there is no key for p" if target is C else None)

    found = plan(Route(name="r", targets=(A, gold, vip, C, B)), Closed(a="broken"), facts_of)
    assert found.candidates == (vip, B)
    assert found.skipped == (
        Skipped(gold, "its condition does not hold: tags gold"),
        Skipped(C, "there is no key for p"),
        Skipped(A, "broken"),
    )


def test_where_all_are_closed_all_are_tried() -> None:
    found = plan(Route(name="r", targets=(A, B)), Closed(a="broken", b="broken"))
    assert found == Plan((A, B), (), "ordered, all are closed")


def test_where_none_can_be_used_there_is_no_candidate() -> None:
    gold = RouteTarget(provider="p", model="g", condition=compile_table(Table(tags=("gold",))))
    assert plan(Route(name="r", targets=(gold,))).candidates == ()


def test_weighted_targets_come_first_in_proportion_to_their_weights() -> None:
    targets = (
        RouteTarget(provider="p", model="a", weight=1.0),
        RouteTarget(provider="p", model="b", weight=3.0),
        RouteTarget(provider="p", model="c", weight=0.0),
    )
    route, rng = Route(name="r", targets=targets, strategy="weighted"), Random(4).random
    orders = Counter(
        "".join(each.model for each in plan(route, rng=rng).candidates) for _ in range(4000)
    )
    assert set(orders) == {"abc", "bac"}
    assert 2850 < orders["bac"] < 3150
