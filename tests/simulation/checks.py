"""What must hold of every schedule, checked when it has been played."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulation import (
    cache_checks,
    choice_checks,
    record_checks,
    reply_checks,
    request_checks,
    route_checks,
    shadow_checks,
    target_checks,
    wish_checks,
)
from simulation.played_call import PlayedCall, collect_calls
from simulation.world import World

OF_CALLS: list[Callable[[PlayedCall], Iterator[str]]] = [
    reply_checks.check_reply,
    reply_checks.check_text,
    reply_checks.check_error,
    request_checks.check_number,
    request_checks.check_ends,
    request_checks.check_retries,
    request_checks.check_persistence,
    request_checks.check_all_keys,
    request_checks.check_order,
    record_checks.check_records,
    route_checks.check_fallbacks,
    route_checks.check_limits,
    route_checks.check_deadline,
    route_checks.check_headers,
    wish_checks.check_wishes,
    choice_checks.check_conditions,
    cache_checks.check_cached,
]
OF_SCHEDULES: list[Callable[[World, list[PlayedCall]], Iterator[str]]] = [
    target_checks.check_budgets,
    target_checks.check_hedges,
    target_checks.check_keys,
    target_checks.check_recovery,
    target_checks.check_openings,
    target_checks.check_shares,
    choice_checks.check_sessions,
]


def check(world: World) -> list[str]:
    """Everything that is wrong; empty if all is well."""
    found = list(world.story.violations)
    found += (f"unhandled: {failure}" for failure in world.loop.failures)
    found += _check_end(world)
    calls, shadows, strangers = collect_calls(world)
    found += shadow_checks.check_shadows(world, calls, shadows)
    found += (f"a record of nobody: {name}" for name in strangers)
    for call in calls:
        for check_call in OF_CALLS:
            found += (f"client {call.client.number}: {problem}" for problem in check_call(call))
    for check_all in OF_SCHEDULES:
        found += check_all(world, calls)
    return found


def _check_end(world: World) -> Iterator[str]:
    """Nothing is left."""
    for task in world.loop.pending_tasks():
        yield f"a task is left: {task!r}"
    for timer in world.loop.pending_timers():
        yield f"a timer is left: {timer!r}"
    gateway = world.gateway
    if gateway.active:
        yield f"{len(gateway.active)} calls are still active"
    if gateway.background_tasks:
        yield "background tasks are left"
    if gateway.in_flight:
        yield "calls are left for which others wait"
    for request in world.transport.requests:
        if request.state == "open":
            yield f"the request #{request.asked.serial} to {request.target} is still open"
