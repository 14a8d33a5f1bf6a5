"""What must hold of targets and keys over a whole schedule: no retry storm, no more hedges than
allowed, keys that are refused are left alone, breakers recover, and nobody starves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from headway.routing.retry_budget import RetryBudget
from headway.routing.route import Route
from simulation.played_call import PlayedCall
from simulation.request_checks import SLACK
from simulation.schedules import OF_KEYS, START, ProviderPlan, Schedule
from simulation.transport import SimulatedRequest
from simulation.world import World

Calls = list[PlayedCall]
REFUSED_S = 60.0
"""A key that its provider refused is left alone at least so long."""
MANY_CALLS = 60
EXPECTED_ENOUGH = 20.0
"""A target that should have so many requests and has none starves."""
CERTAIN = frozenset({"refused", "reset_before_head", "server_error"})
"""Faults that are the target's in any case."""
FAILED_LATELY = ("failed lately", "is being tried")


def check_budgets(world: World, calls: Calls) -> Iterator[str]:
    """Per target: the load is at most that of the calls that may be sent to it, and what its budget
    allows on top."""
    offered, further = Counter[str](), Counter[str]()
    for call in calls:
        targets = _targets_of(call)
        offered.update(targets)
        sent = Counter((each.target, each.key) for each in call.requests)
        for (target, _), number in sent.items():
            further[target] += number - 1
    budget, schedule = RetryBudget(), world.schedule
    seconds = max((each.started for each in world.transport.requests), default=START) - START
    for target, number in further.items():
        allowed = (
            schedule.retry_share * offered[target] + budget.floor + budget.floor_per_s * seconds
        )
        if number > allowed:
            yield f"{target} got {number} retries, allowed are {allowed:.1f}"


def _targets_of(call: PlayedCall) -> list[str]:
    if call.route is None:
        return [call.client.question.model]
    return [target.id for target in call.route.targets]


def check_hedges(world: World, calls: Calls) -> Iterator[str]:
    for route in world.schedule.routes:
        own = [call for call in calls if _is_on(call, route)]
        hedges = sum(record.role == "hedge" for call in own for record in call.attempts)
        share = 0.0 if route.hedging is None else route.hedging.max_share
        if hedges > share * len(own) + SLACK:
            yield f"{route.name} sent {hedges} hedges for {len(own)} calls, allowed are {share:g}"


def _is_on(call: PlayedCall, route: Route) -> bool:
    return call.route is not None and call.route.name == route.name


# --- Keys -----------------------------------------------------------------------------------------


def check_keys(world: World, calls: Calls) -> Iterator[str]:
    """A key that was refused is not used for the target, or with 401 for any, while its provider
    has one that never failed."""
    key_counts = {each.name: len(each.keys) for each in world.schedule.providers}
    failures = [each for each in world.transport.requests if _is_of_key(each)]
    for request in world.transport.requests:
        if key_counts[request.provider.name] < 2:
            continue
        earlier = [
            each
            for each in failures
            if each.provider is request.provider and (each.ended_at or 0.0) <= request.started
        ]
        has_better = len({each.key for each in earlier}) < key_counts[request.provider.name]
        if has_better and any(_forbids(each, request) for each in earlier):
            yield f"the refused key {request.key} was used for request #{request.asked.serial}"


def _is_of_key(request: SimulatedRequest) -> bool:
    return request.response_at is not None and request.plan.status in (401, 402, 403, 429)


def _forbids(earlier: SimulatedRequest, request: SimulatedRequest) -> bool:
    if earlier.key != request.key or earlier.plan.status == 429:
        return False
    is_of_all = earlier.plan.status == 401
    since = request.started - (earlier.ended_at or 0.0)
    is_here = is_of_all or earlier.target == request.target
    return is_here and SLACK < since < REFUSED_S - SLACK


# --- Breakers and shares --------------------------------------------------------------------------


def check_recovery(world: World, calls: Calls) -> Iterator[str]:
    """When a fault is over and the longest cool-down, too, its target is used again, if nobody is
    trying it at the moment."""
    schedule = world.schedule
    healthy_from = {
        f"{plan.name}/{model}": _healthy_from(schedule, plan, model)
        for plan in schedule.providers
        for model in ("large", "small")
    }
    for call in calls:
        if call.route is None or not call.attempts or call.attempts[0].decision is None:
            continue
        arrived = call.client.behaviour.arrives_at
        decision = msgspec.json.decode(call.attempts[0].decision)
        for skipped in decision["skipped"]:
            since, target = healthy_from[skipped["target"]], skipped["target"]
            if arrived < since or not skipped["reason"].startswith(FAILED_LATELY):
                continue
            if not _is_being_tried(world, target, arrived):
                yield f"client {call.client.number}: {target} is healthy and {skipped['reason']}"


def _healthy_from(schedule: Schedule, plan: ProviderPlan, model: str) -> float:
    """The time from which on its breaker must be closed again."""
    target = f"{plan.name}/{model}"
    if not _suits_all_routes(schedule, plan, target):
        return float("inf")
    own = [each for each in plan.episodes if each.model in (None, model)]
    if any(each.kind in OF_KEYS for each in own):
        return float("inf")
    if any(client.behaviour.reads_after for client in schedule.clients):
        return float("inf")  # what a slow client makes late counts against the target
    longest = max(schedule.timeouts.values()) if own else 0.0
    last = max((each.end for each in own), default=START)
    return last + longest + schedule.breaker_rule.max_cool_down_s + SLACK


def _suits_all_routes(schedule: Schedule, plan: ProviderPlan, target: str) -> bool:
    """Whether its usual pace keeps the limits of all routes that it is in."""
    slowest = plan.pace.connect + 1.5 * plan.pace.first + 20 * 1.5 * plan.pace.gap
    for route in schedule.routes:
        limits = route.limits
        least = [each for each in (limits.time_to_first_token, limits.total) if each is not None]
        is_in = target in [each.id for each in route.targets]
        if is_in and (slowest > min(least, default=1e9) or limits.tokens_per_second is not None):
            return False
    return True


def _is_being_tried(world: World, target: str, at: float) -> bool:
    return any(
        request.target == target and request.started <= at <= (request.ended_at or at)
        for request in world.transport.requests
    )


def check_openings(world: World, calls: Calls) -> Iterator[str]:
    """A target whose breaker must be open is not the first that a call tries, where another one
    is left."""
    rests = _find_rests(world, calls)
    for call in calls:
        if not rests or call.route is None or not call.attempts or not call.requests:
            continue
        decision = msgspec.json.decode(call.attempts[0].decision or "{}")
        first, sent_at = call.requests[0].target, call.requests[0].started
        if len(decision["targets"]) < 2 or decision["strategy"].startswith("all failed"):
            continue
        for since, until in rests.get(first, ()):
            if since + SLACK < call.client.behaviour.arrives_at and sent_at < until - SLACK:
                yield f"client {call.client.number} was sent to {first}, which fails"


def _find_rests(world: World, calls: Calls) -> dict[str, list[tuple[float, float]]]:
    """Target -> the first time that its breaker must be open, from and until; a cautious list."""
    rule = world.schedule.breaker_rule
    in_row, found = Counter[str](), dict[str, list[tuple[float, float]]]()
    seen = [request for call in calls if call.is_dispatched for request in call.requests]
    for request in sorted(seen, key=lambda each: each.ended_at or 0.0):
        target, ended_at = request.target, request.ended_at or 0.0
        if request.plan.fault in CERTAIN and request.state in ("ended", "failed"):
            in_row[target] += 1
        else:
            in_row[target] = 0
            if target in found:  # a retry may have shown that it is well
                since, until = found[target][0]
                found[target] = [(since, min(until, ended_at, *request.text_times[:1]))]
        if in_row[target] == rule.failures and target not in found:
            found[target] = [(ended_at, ended_at + rule.cool_down_s)]
    return found


def check_shares(world: World, calls: Calls) -> Iterator[str]:
    """No healthy target of a route that balances its load is left without requests."""
    for route in world.schedule.routes:
        own = [
            call
            for call in calls
            if _is_on(call, route) and call.requests and not call.client.question.routing_fields
        ]
        if len(own) < MANY_CALLS or route.strategy not in ("weighted", "least_outstanding"):
            continue
        if route.sticky is not None:
            continue
        first = Counter(call.requests[0].target for call in own)
        total = sum(target.weight for target in route.targets)
        for target in route.targets:
            expected = len(own) * target.weight / total
            is_starved = expected >= EXPECTED_ENOUGH and not first[target.id]
            if is_starved and _is_always_healthy(world.schedule, target.provider, route):
                yield f"{target.id} got no request of {len(own)} on {route.name}"


def _is_always_healthy(schedule: Schedule, name: str, route: Route) -> bool:
    plan = next(each for each in schedule.providers if each.name == name)
    return not plan.episodes and all(
        _suits_all_routes(schedule, plan, target.id) for target in route.targets
    )
