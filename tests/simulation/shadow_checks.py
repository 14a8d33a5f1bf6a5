"""Copies of requests: each is on record with its cost, and none delays or reaches a client."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.billing import check_tokens
from simulation.played_call import PlayedCall, Shadow
from simulation.world import World


def check_shadows(world: World, calls: list[PlayedCall], shadows: list[Shadow]) -> Iterator[str]:
    by_id = {call.records[0].call_id: call for call in calls if call.records}
    seen = set[str]()
    for shadow in shadows:
        serial = shadow.request.asked.serial
        if len(shadow.records) != 1:
            yield f"the copy #{serial} has {len(shadow.records)} records"
            continue
        (record,) = shadow.records
        parent = by_id.get(record.shadow_of or "")
        if parent is None:
            yield f"the copy #{serial} is of {record.shadow_of}, which is no call"
            continue
        if record.shadow_of in seen:
            yield f"client {parent.client.number} has two copies"
        seen.add(record.shadow_of or "")
        wanted = None if parent.route is None else parent.route.shadow
        if wanted is None or wanted.target.id != shadow.request.target:
            yield f"the copy #{serial} was sent to {shadow.request.target}"
        if (record.role, record.attempt, record.is_last) != ("shadow", 1, True):
            yield f"the copy #{serial} is on record as {record.role}, {record.attempt}"
        yield from (
            f"the copy #{serial}: {problem}"
            for problem in check_tokens(world.schedule, shadow.request, record)
        )
