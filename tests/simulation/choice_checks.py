"""Which target of a route a request goes to: one whose condition holds, and for one session always
the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from headway.routing.cel import compile_cel
from headway.routing.conditions import Table, compile_table
from headway.routing.route import Condition
from simulation.dialects import Question
from simulation.played_call import PlayedCall
from simulation.world import World

TAGS, SESSION = b"x-headway-tags", b"x-headway-session"
GOLD = (TAGS, b"gold")


def _is_gold(question: Question) -> bool:
    return GOLD in question.headers


Holds = Callable[[Question], bool]
CONDITIONS: Mapping[str, tuple[Callable[[], Condition], Holds]] = {
    "stream": (lambda: compile_table(Table(stream=True)), lambda each: each.is_stream),
    "whole": (lambda: compile_cel("!stream"), lambda each: not each.is_stream),
    "gold": (lambda: compile_table(Table(tags=("gold",))), _is_gold),
    "others": (lambda: compile_cel('!("gold" in tags)'), lambda each: not _is_gold(each)),
}
"""Name -> what makes the condition, and when it holds."""


def check_conditions(call: PlayedCall) -> Iterator[str]:
    demanded, names = call.schedule.conditions, {route.name for route in call.schedule.routes}
    if call.client.question.model not in names:  # the client names targets itself
        return
    for request in call.requests:
        name = demanded.get(request.target)
        if name is not None and not CONDITIONS[name][1](call.client.question):
            yield f"{request.target} was asked, which only takes requests that are {name!r}"


def check_sessions(world: World, calls: list[PlayedCall]) -> Iterator[str]:
    """As long as no target fails."""
    if any(each.plan.fault or each.state == "failed" for each in world.transport.requests):
        return
    places: dict[tuple[str, bytes], set[str]] = defaultdict(set)
    for call in calls:
        route, session = call.route, dict(call.client.question.headers).get(SESSION)
        if (
            route is None
            or session is None
            or not call.requests
            or call.client.question.routing_fields
        ):
            continue
        if route.sticky == "session" and route.strategy != "ordered":
            places[route.name, session].add(call.requests[0].target)
    for (name, session), targets in places.items():
        if len(targets) > 1:
            yield f"the session {session!r} of {name} was at {sorted(targets)}"
