"""Choose the targets of one request on a route, and their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from headway.routing.route import Route, RouteTarget
from headway.routing.routed_request import RoutedRequest


class Skipped(Struct, frozen=True):
    target: RouteTarget
    reason: str


class Plan(Struct, frozen=True):
    candidates: tuple[RouteTarget, ...]
    """In the order in which they are tried."""
    skipped: tuple[Skipped, ...]
    why: str
    """How the order came about."""


class TargetFacts(Struct, frozen=True, kw_only=True):
    """What is known of a target before it is called."""

    unusable: str | None = None
    """Why it cannot be called at all: no provider of its name, no key."""


class TargetStates(Protocol):
    """What the gateway counts of the targets."""

    def closed_reason(self, target_id: str, now: float) -> str | None:
        """Why a target is not called at the moment, such as an open breaker; None: it is."""


def make_plan(
    route: Route,
    request: RoutedRequest,
    facts_of: Callable[[RouteTarget], TargetFacts],
    states: TargetStates | None,
    now: float,
    rng: Callable[[], float],
) -> Plan:
    """``now`` is the gateway's clock; the conditions read ``request.now``. Where every target is
    closed for the moment, those are candidates all the same: a call that may fail is better than
    one that does."""
    usable, closed, skipped = [], [], []
    for target in route.targets:
        reason = _skip_reason(target, request, facts_of(target))
        if reason is not None:
            skipped.append(Skipped(target, reason))
        elif states is not None and (reason := states.closed_reason(target.id, now)) is not None:
            closed.append(Skipped(target, reason))
        else:
            usable.append(target)
    why: str = route.strategy
    if closed and not usable:
        usable, closed, why = [each.target for each in closed], [], f"{why}, all are closed"
    return Plan(_order(route, usable, rng), (*skipped, *closed), why)


def _skip_reason(target: RouteTarget, request: RoutedRequest, facts: TargetFacts) -> str | None:
    if facts.unusable is not None:
        return facts.unusable
    unmet = None if target.condition is None else target.condition.unmet(request)
    return None if unmet is None else f"its condition does not hold: {unmet}"


def _order(
    route: Route, usable: Sequence[RouteTarget], rng: Callable[[], float]
) -> tuple[RouteTarget, ...]:
    if route.strategy == "ordered" or len(usable) < 2:
        return tuple(usable)
    return tuple(_shuffle(usable, rng))


def _shuffle(targets: Sequence[RouteTarget], rng: Callable[[], float]) -> list[RouteTarget]:
    """By chance, each place in proportion to the weights (Efraimidis and Spirakis, 2006: the order
    of ``u ** (1 / weight)``). Those without a weight come last."""
    drawn = [(rng() ** (1 / each.weight) if each.weight else -1.0, each) for each in targets]
    return [target for _, target in sorted(drawn, key=lambda pair: -pair[0])]
