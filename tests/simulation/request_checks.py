"""The requests to providers of one call: how many, when, after what, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from headway.pipeline.drain import INTERVAL_S
from headway.routing.retry import CAP_S
from simulation.played_call import CLOSING, PlayedCall
from simulation.world import DRAIN

FINAL = frozenset({"rejected", "context_window", "content_policy", "revoked", "quota"})
"""Faults after which the same request with the same key is pointless."""
PASSING = frozenset(
    {"refused", "unreachable", "reset_before_head", "silent", "server_error", "rate_limit"}
)
"""Faults before any content after which another attempt may help."""
SLACK = 1e-6
"""Seconds, for what is computed in floating point."""
COUNT_S = 0.1
"""An error waits for the count of its tokens at most so long."""
KEY_STATUSES = (401, 402, 403, 429)
KEY_ERRORS = frozenset({"authentication_error", "insufficient_quota", "rate_limit_error"})
FLOOR = 9
"""Further attempts on a target for which its budget suffices in any case."""


def check_number(call: PlayedCall) -> Iterator[str]:
    if len(call.requests) > call.most_attempts:
        yield f"{len(call.requests)} attempts, allowed are {call.most_attempts}"


def check_ends(call: PlayedCall) -> Iterator[str]:
    """Nothing goes on that nobody waits for."""
    until = max(_wanted_until(each) for each in call.neighbours)
    content_at = call.client.content_at
    for request in call.requests:
        serial, ended_at = request.asked.serial, request.ended_at or request.started
        if ended_at > until:
            yield f"the request #{serial} went on after the client's end"
        if content_at is None or call.is_free:
            continue
        if request.started > content_at:
            yield f"the request #{serial} was sent after content"
        is_origin = call.origin is None or request is call.origin
        if ended_at > content_at and not (is_origin or call.is_damaged or call.had_readers):
            yield f"the request #{serial} went on beside the one that answers"


def _wanted_until(call: PlayedCall) -> float:
    client = call.client
    if client.ended_at is None:
        return float("inf")
    drains = call.schedule.drains and client.state == "left"
    if not (drains or call.has_company):
        return client.ended_at
    return client.ended_at + INTERVAL_S + SLACK + (DRAIN.seconds if drains else 0.0)


def check_retries(call: PlayedCall) -> Iterator[str]:
    for before, after in pairwise(call.requests):
        if (before.target, before.key) != (after.target, after.key):
            continue
        serial, plan = after.asked.serial, before.plan
        if before.response_at is None or before.state == "cancelled":
            continue
        if plan.fault in FINAL:
            yield f"the request #{serial} was sent again after {plan.fault!r}"
        wait = plan.retry_after
        if wait and after.started < (before.ended_at or 0.0) + wait - SLACK:
            yield f"the request #{serial} was sent before the provider's Retry-After"


def check_persistence(call: PlayedCall) -> Iterator[str]:
    """A failure that may pass was tried again as often as the client or the route says, unless the
    budget of the target was used up."""
    client, route = call.client, call.route
    if client.state == "left" or not call.attempts or not call.requests or call.was_aborted:
        return
    if client.content_at is not None and client.status == 200:
        return
    retries = client.question.retries if route is None else route.retries
    last, record = call.requests[-1], call.records[-1]
    tried = sum(each.target == last.target for each in call.requests)
    if (
        tried <= retries
        and len(call.requests) < call.most_attempts
        and record.outcome == "error"
        and record.error_type != CLOSING
        and record.error_code != "deadline_exceeded"
        and last.plan.fault in PASSING
        and (last.plan.retry_after or 0.0) <= CAP_S
        and not _has_used_budget(call, last.target)
        and _has_time(call, last.plan.retry_after or 0.0)
    ):
        yield f"gave up after {len(call.requests)} attempts, over {last.plan.fault!r}"


def _has_used_budget(call: PlayedCall, target: str) -> bool:
    """Roughly: there were so many further attempts that it may be."""
    seen, further = set[int](), 0
    for request in call.world.transport.requests:
        if request.client in seen and request.target == target:
            further += 1
        seen.add(request.client)
    return further >= FLOOR


def _has_time(call: PlayedCall, wait: float) -> bool:
    total = None if call.route is None else call.route.limits.total
    given = [each for each in (total, call.client.question.timeout) if each is not None]
    if not given or call.client.ended_at is None:
        return True
    left = call.client.behaviour.arrives_at + min(given) - call.client.ended_at
    return left > max(wait, CAP_S)


def check_all_keys(call: PlayedCall) -> Iterator[str]:
    """Nobody gets an error for a key while its provider has one that never failed."""
    if not call.attempts or not call.requests or call.client.state == "left" or call.was_aborted:
        return
    last, record = call.requests[-1], call.records[-1]
    keys = len(call.provider_plan(last).keys)
    has_failed = last.plan.status in KEY_STATUSES and record.error_type in KEY_ERRORS
    if not has_failed or keys < 2 or len(call.requests) >= call.most_attempts:
        return
    failed = {
        each.key
        for each in call.world.transport.requests
        if each.provider is last.provider and each.plan.status in KEY_STATUSES
    }
    if len(failed) < keys:
        yield f"gave up over {record.error_type}, and only the keys {sorted(failed)} failed"


def check_order(call: PlayedCall) -> Iterator[str]:
    """Attempts of a call with one model, or without hedges, follow each other."""
    if call.had_readers or (call.route is not None and call.route.hedging is not None):
        return
    for before, after in pairwise(call.requests):
        if (before.ended_at or 0.0) > after.started + SLACK:
            yield f"the request #{after.asked.serial} was sent beside another one"
