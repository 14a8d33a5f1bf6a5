"""Choose the targets of one request on a route, and their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from headway.routing import balance
from headway.routing.abilities import (
    Skipped,
    TargetFacts,
    find_refusal,
    is_too_long,
    too_long_reason,
)
from headway.routing.balance import Candidate
from headway.routing.route import Route, RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.sticky import stick
from headway.routing.target_state import TargetState, TargetStates
from headway.routing.wishes import NO_WISHES, Wishes

FactsOf = Callable[[RouteTarget], TargetFacts]
MEAN_OUTPUT_TOKENS = 500
"""Of an answer whose length is not limited, for comparing prices."""


class Plan(Struct, frozen=True):
    candidates: tuple[RouteTarget, ...]
    """In the order in which they are tried."""
    skipped: tuple[Skipped, ...]
    why: str
    """How the order came about."""
    retry_after_s: float | None = None
    """Where there is no candidate only because all are waiting: seconds until one is not."""


class _Sorted(Struct):
    """The targets of a route, by whether they can be tried."""

    usable: list[Candidate] = field(default_factory=list)
    too_long: list[Candidate] = field(default_factory=list)
    """The prompt is longer than their context, by its estimate."""
    broken: list[Candidate] = field(default_factory=list)
    """Their breaker is open."""
    skipped: list[Skipped] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds until a key of one of those that are skipped may be used again."""


def make_plan(
    route: Route,
    request: RoutedRequest,
    facts_of: FactsOf,
    states: TargetStates,
    now: float,
    rng: Callable[[], float],
    wishes: Wishes = NO_WISHES,
) -> Plan:
    """``now`` is the gateway's clock; conditions read ``request.now``.

    An estimate does not refuse a request, and a breaker that is open everywhere does not either:
    where no other target is left, those are tried whose context seems too short, and then those
    that failed lately."""
    found = _sort(route.targets, request, facts_of, states, now, wishes)
    why = ""
    if not found.usable and found.too_long and route.on_context_window:
        then = _sort(route.on_context_window, request, facts_of, states, now, wishes)
        found.usable = then.usable
        found.skipped += then.skipped
        why = "on_context_window, "
    chosen = found.usable
    if not chosen and found.too_long:
        chosen, found.too_long, why = found.too_long, [], "too long for all by its estimate, "
    if not chosen and found.broken:
        chosen, found.broken, why = found.broken, [], "all failed lately, "
    for each in found.too_long:
        reason = too_long_reason(facts_of(each.target), request)
        found.skipped.append(Skipped(each.target, reason))
    for each in found.broken:
        found.skipped.append(Skipped(each.target, _broken_reason(each.state, now)))
    ordered, how = _order(route, chosen, request, facts_of, now, rng, wishes)
    wait = min(found.waits) if found.waits and not chosen else None
    return Plan(tuple([each.target for each in ordered]), tuple(found.skipped), why + how, wait)


def _sort(
    targets: Sequence[RouteTarget],
    request: RoutedRequest,
    facts_of: FactsOf,
    states: TargetStates,
    now: float,
    wishes: Wishes,
) -> _Sorted:
    found = _Sorted()
    for target in targets:
        facts = facts_of(target)
        refusal = find_refusal(target, facts, request, wishes)
        if refusal is not None:
            found.skipped.append(Skipped(target, refusal))
            continue
        state = states.target(target.id)
        wait_s = _wait_for_key(target, facts, states, now)
        if wait_s:
            found.skipped.append(Skipped(target, f"has no key to use for {wait_s:.0f} s"))
            found.waits.append(wait_s)
            continue
        candidate = Candidate(target, state, _price(facts, request))
        if not state.admits(now):
            found.broken.append(candidate)
        elif is_too_long(facts, request):
            found.too_long.append(candidate)
        else:
            found.usable.append(candidate)
    return found


def _wait_for_key(
    target: RouteTarget, facts: TargetFacts, states: TargetStates, now: float
) -> float:
    """Seconds until one of its keys may be used; 0: now."""
    shortest = 0.0
    for key in facts.keys:
        wait_s = states.key_blocked_s(target.id, key, now)
        if not wait_s:
            return 0.0
        shortest = min(shortest, wait_s) if shortest else wait_s
    return shortest


def _broken_reason(state: TargetState, now: float) -> str:
    wait_s = state.breaker.blocked_s(now)
    return f"failed lately: rests for {wait_s:.0f} s" if wait_s else "is being tried again"


def _price(facts: TargetFacts, request: RoutedRequest) -> float | None:
    """Estimated US dollars."""
    if facts.input_usd is None or facts.output_usd is None:
        return None
    output_tokens = request.max_output_tokens or MEAN_OUTPUT_TOKENS
    return (request.input_tokens * facts.input_usd + output_tokens * facts.output_usd) / 1e6


def _order(
    route: Route,
    candidates: list[Candidate],
    request: RoutedRequest,
    facts_of: FactsOf,
    now: float,
    rng: Callable[[], float],
    wishes: Wishes,
) -> tuple[list[Candidate], str]:
    """The candidates in the order in which they are tried, and how it came about."""
    strategy = wishes.sort or route.strategy
    why: str = strategy
    key = "" if wishes.sort else _sticky_key(route, request)
    if len(candidates) < 2:
        ordered = candidates
    elif key:
        ordered, why = stick(key, candidates), f"sticky by {route.sticky}"
    else:
        ordered = balance.order(
            strategy, candidates, stream=request.stream, now=now, rng=rng, floors=route.floors
        )
    if wishes is NO_WISHES:
        return ordered, why
    if wishes.order:
        ordered = sorted(ordered, key=lambda each: _place(facts_of(each.target), wishes.order))
        why = "the request's order"
    elif not wishes.allows_fallbacks:
        ordered, why = ordered[:1], f"{why}, without fallbacks"
    return ordered, why


def _sticky_key(route: Route, request: RoutedRequest) -> str:
    if route.strategy == "ordered":
        return ""
    if route.sticky == "session":
        return request.session_id
    return request.prefix if route.sticky == "prefix" else ""


def _place(facts: TargetFacts, order: Sequence[str]) -> int:
    return next((at for at, name in enumerate(order) if name in facts.names), len(order))
