"""Choose the targets of one request on a route, and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from headway.routing import balance
from headway.routing.abilities import Skipped, TargetFacts, find_doubt, find_refusal
from headway.routing.balance import Candidate
from headway.routing.route import Route, RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.sticky import stick
from headway.routing.target_state import TargetState, TargetStates
from headway.routing.wishes import NO_WISHES, Wishes

MEAN_OUTPUT_TOKENS = 500
"""Of an answer whose length is not limited, for comparing prices."""


FAILED, KEYLESS = "all failed lately, ", "no key is free, "
"""Why targets are tried that cannot be used now, before how they are ordered."""


class Plan(Struct, frozen=True, gc=False):
    candidates: tuple[RouteTarget, ...]
    """In the order in which they are tried."""
    skipped: tuple[Skipped, ...]
    why: str
    """How the order came about."""
    is_last_resort: bool = False
    """No target can be used now; these are tried all the same."""


class _Sorted(Struct, gc=False):
    """Targets by whether they can be tried."""

    usable: list[Candidate]
    doubtful: list[tuple[Candidate, str]]
    """With the reason for which they will probably fail."""
    broken: list[Candidate]
    """Their breaker is open."""
    keyless: list[tuple[Candidate, str]]
    """With for how long no key of theirs may be used."""
    skipped: list[Skipped]


def make_plan(
    route: Route,
    request: RoutedRequest,
    facts: Mapping[str, TargetFacts],
    states: TargetStates,
    now: float,
    rng: Callable[[], float],
    wishes: Wishes = NO_WISHES,
) -> Plan:
    """``facts`` are those of any target, by its id. ``now`` is the gateway's clock; conditions read
    ``request.now``.

    A call that may fail is better than one that does: where no other target is left, those are
    tried that will probably not be able to answer, by an estimate or by data that may be out of
    date, then those that failed lately, and then those whose keys are limited or refused."""
    return _Planner(route, request, facts, states, now, rng, wishes).plan()


class _Planner(Struct, gc=False):
    route: Route
    request: RoutedRequest
    facts: Mapping[str, TargetFacts]
    states: TargetStates
    now: float
    rng: Callable[[], float]
    wishes: Wishes

    def plan(self) -> Plan:
        found, why = self.sort(self.route.targets), ""
        if not found.usable:
            why = self.fall_back(found)
        chosen = found.usable
        ordered, how = self.order(chosen) if len(chosen) > 1 else (chosen, self.strategy)
        is_complete = not (found.doubtful or found.broken or found.keyless)
        skipped = tuple(found.skipped) if is_complete else self.skipped(found)
        is_last_resort = why in (FAILED, KEYLESS)
        return Plan(tuple([each.target for each in ordered]), skipped, why + how, is_last_resort)

    @property
    def strategy(self) -> str:
        return self.wishes.sort or self.route.strategy

    # --- What can be tried --------------------------------------------------------------------

    def sort(self, targets: Sequence[RouteTarget]) -> _Sorted:
        usable: list[Candidate] = []
        found = _Sorted(usable, [], [], [], [])
        request, wishes, states, now = self.request, self.wishes, self.states, self.now
        all_facts, needs_price = self.facts, self.strategy == "cheapest"
        for target in targets:
            facts = all_facts[target.id]
            refusal = find_refusal(target, facts, request, wishes)
            if refusal is not None:
                found.skipped.append(Skipped(target, refusal))
                continue
            state = states.target(target.id)
            candidate = Candidate(target, state, _price(facts, request) if needs_price else None)
            wait_s = _wait_for_key(target.id, facts.keys, states, now)
            if wait_s:
                found.keyless.append((candidate, _keyless_reason(wait_s)))
            elif not state.breaker.admits(now):
                found.broken.append(candidate)
            elif (doubt := find_doubt(target, facts, request)) is not None:
                found.doubtful.append((candidate, doubt))
            else:
                usable.append(candidate)
        return found

    def fall_back(self, found: _Sorted) -> str:
        """Fill ``found.usable`` with what else there is, and tell what that is."""
        route = self.route
        if found.doubtful and route.on_context_window:
            then = self.sort(route.on_context_window)
            found.usable, found.skipped = then.usable, [*found.skipped, *then.skipped]
            if found.usable:
                return "on_context_window, "
        if found.doubtful:
            found.usable, found.doubtful = [each for each, _ in found.doubtful], []
            return "none is known to be able to, "
        if found.broken:
            found.usable, found.broken = found.broken, []
            return FAILED
        if found.keyless:
            found.usable, found.keyless = [each for each, _ in found.keyless], []
            return KEYLESS
        return ""

    def skipped(self, found: _Sorted) -> tuple[Skipped, ...]:
        return (
            *found.skipped,
            *(Skipped(each.target, reason) for each, reason in found.doubtful + found.keyless),
            *(Skipped(each.target, _broken_reason(each.state, self.now)) for each in found.broken),
        )

    # --- In which order -----------------------------------------------------------------------

    def order(self, candidates: list[Candidate]) -> tuple[list[Candidate], str]:
        """The candidates in the order in which they are tried, and how it came about."""
        route, wishes = self.route, self.wishes
        key = "" if wishes.sort or route.sticky is None else self.sticky_key()
        if key:
            ordered, why = stick(key, candidates), f"sticky by {route.sticky}"
        else:
            strategy = wishes.sort or route.strategy
            ordered = balance.order(
                strategy,
                candidates,
                stream=self.request.stream,
                now=self.now,
                rng=self.rng,
                floors=route.floors,
            )
            why = strategy
        if wishes.order:
            ordered.sort(key=self.place_in_order)
            why = "the request's order"
        elif not wishes.allows_fallbacks:
            ordered, why = ordered[:1], f"{why}, without fallbacks"
        return ordered, why

    def sticky_key(self) -> str:
        if self.route.strategy == "ordered":
            return ""
        return self.request.session_id if self.route.sticky == "session" else self.request.prefix

    def place_in_order(self, candidate: Candidate) -> int:
        order, names = self.wishes.order, self.facts[candidate.target.id].names
        return next((at for at, name in enumerate(order) if name in names), len(order))


def find_rest(target_id: str, facts: TargetFacts, states: TargetStates, now: float) -> str | None:
    """Why a target cannot be used now, in words that follow its id; None: it can."""
    wait_s = _wait_for_key(target_id, facts.keys, states, now)
    if wait_s:
        return _keyless_reason(wait_s)
    state = states.target(target_id)
    return None if state.breaker.admits(now) else _broken_reason(state, now)


def _keyless_reason(wait_s: float) -> str:
    return f"has no key to use for {wait_s:.0f} s"


def _wait_for_key(target_id: str, keys: Sequence[str], states: TargetStates, now: float) -> float:
    """Seconds until one of its keys may be used; 0: now."""
    shortest = 0.0
    for key in keys:
        wait_s = states.key_blocked_s(target_id, key, now)
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
