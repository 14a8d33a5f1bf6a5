"""Answers from the cache: complete ones only, of the same question and tenant, and not too old."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.played_call import PlayedCall
from simulation.request_checks import SLACK

CUT = frozenset({"too_long", "filtered"})
"""Faults of answers that are complete and not to be given again."""
MAX_AGE = 5.0
"""In the only ``max-age`` that clients send."""


def check_cached(call: PlayedCall) -> Iterator[str]:
    schedule = call.schedule
    if not call.records:
        return
    record, plan = call.records[-1], schedule.cache
    if plan is None:
        if record.cache is not None:
            yield f"cache is {record.cache!r}, and there is none"
        return
    if record.cache not in ("hit", "miss", "coalesced", "bypass", None):
        yield f"cache is {record.cache!r}"
    controls = _controls(call)
    if call.is_free and b"no-cache" in controls:
        yield f"a {record.cache}, though the client wants a new answer"
    if record.cache == "coalesced" and plan.policy.coalesce == "off":
        yield "coalesced, which is switched off"
    if record.cache == "hit" and call.origin is not None:
        yield from _check_hit(call, controls)


def _check_hit(call: PlayedCall, controls: list[bytes]) -> Iterator[str]:
    origin, plan = call.origin, call.schedule.cache
    assert origin is not None
    assert plan is not None
    if not (origin.is_complete or origin.plan.is_damaged):
        yield f"an incomplete answer was kept, of request #{origin.asked.serial}"
    if origin.plan.fault in CUT:
        yield f"an answer that was cut was kept, of request #{origin.asked.serial}"
    asked = next(each for each in call.neighbours if each.client.number == origin.client)
    if b"no-store" in _controls(asked):
        yield f"the answer of request #{origin.asked.serial} was kept against its client's wish"
    if call.schedule.clock_steps:
        return
    age = call.client.behaviour.arrives_at - (origin.ended_at or 0.0)
    allowed = min(plan.policy.ttl_s or 0.0, MAX_AGE if b"max-age=5" in controls else 1e9)
    if age > allowed + (asked.schedule.count_delay + SLACK):
        yield f"an answer of {age:.3f} s, allowed are {allowed:g} s"


def _controls(call: PlayedCall) -> list[bytes]:
    return [value for name, value in call.client.question.headers if name == b"cache-control"]
