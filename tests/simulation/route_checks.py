"""Calls of routes: every target is tried before a client gets an error, limits and deadlines are
kept, and headers are true."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from headway.routing.route import Limits
from headway.server.response_headers import response_lines, stream_lines
from simulation.answers import SSE
from simulation.played_call import PlayedCall
from simulation.request_checks import COUNT_S, SLACK
from simulation.transport import SimulatedRequest

LAST_WORDS = frozenset({"deadline_exceeded", "no_target"})
"""Codes of errors after which no target is left or no time."""
OTHER_TARGETS = frozenset(
    {
        "connection_error", "timeout_error", "truncated_stream", "protocol_error",
        "overloaded_error", "provider_error", "rate_limit_error", "authentication_error",
        "insufficient_quota",
    }
)  # fmt: skip
"""Types of errors that another target may not have."""


def check_fallbacks(call: PlayedCall) -> Iterator[str]:
    client = call.client
    if call.route is None or client.state == "left" or not call.attempts or call.was_aborted:
        return
    record = call.records[-1]
    if (
        record.outcome != "error"
        or client.content_at is not None
        or record.error_code in LAST_WORDS
        or record.error_type not in OTHER_TARGETS
        or len(call.requests) >= call.route.max_attempts
        or call.is_damaged
    ):
        return
    planned = msgspec.json.decode(call.attempts[0].decision or "{}").get("targets", [])
    tried = {request.target for request in call.requests}
    skipped = msgspec.json.decode(record.decision or "{}").get("skipped", [])
    untried = set(planned) - tried - {each["target"] for each in skipped}
    if untried and not tried.intersection(call.fallbacks):
        yield f"gave up over {record.error_type} without trying {sorted(untried)}"


def check_limits(call: PlayedCall) -> Iterator[str]:
    limits, is_slow = Limits(), call.client.behaviour.reads_after is not None
    if call.route is not None and not call.has_company:
        limits = call.route.limits
    for request in call.requests:
        if not (call.client.question.is_stream or request.asked.is_stream):
            continue
        if limits.time_to_first_token is not None:
            yield from _check_first_token(request, limits.time_to_first_token)
        if limits.idle is not None and not is_slow:
            yield from _check_gaps(request, limits.idle)


def check_deadline(call: PlayedCall) -> Iterator[str]:
    ended_at, allowed = call.client.ended_at, call.deadline
    if allowed is None or ended_at is None:
        return
    took = ended_at - call.client.behaviour.arrives_at
    if took > allowed + COUNT_S + call.schedule.count_delay + SLACK:
        yield f"took {took:.3f} s, allowed are {allowed:g} s"


def _check_first_token(request: SimulatedRequest, allowed: float) -> Iterator[str]:
    until = request.started + allowed + SLACK
    ended_at = request.ended_at or 0.0
    has_content = bool(request.text_times) and request.text_times[0] <= until
    if ended_at > until and not has_content:
        silent = ended_at - request.started
        yield f"the request #{request.asked.serial} was silent for {silent:.3f} s"


def _check_gaps(request: SimulatedRequest, allowed: float) -> Iterator[str]:
    if request.plan.answer.content_type != SSE or not request.text_times:
        return
    times = [*request.text_times, request.ended_at or 0.0]
    longest = max(after - before for before, after in pairwise(times))
    if longest > allowed + SLACK:
        yield f"the request #{request.asked.serial} had a gap of {longest:.3f} s"


def check_headers(call: PlayedCall) -> Iterator[str]:
    headers, origin = call.client.headers, call.origin
    if call.route is None or headers is None or call.client.status != 200:
        return
    lines = stream_lines(headers) if call.client.is_streamed else response_lines(headers)
    named = dict(line.split(b": ", 1) for line in lines.splitlines())
    served_by, provider = named.get(b"x-headway-served-by"), named.get(b"x-headway-provider")
    if origin is not None and not call.is_damaged:
        if served_by not in (None, origin.target.encode()):
            yield f"x-headway-served-by is {served_by!r}, and {origin.target} answered"
        if provider not in (None, origin.provider.name.encode()):
            yield f"x-headway-provider is {provider!r}, and {origin.target} answered"
        if served_by is None and not call.client.had_comments:
            yield "has no x-headway-served-by"
    route = named.get(b"x-headway-route", call.route.name.encode())
    if route != call.route.name.encode():
        yield f"x-headway-route is {route!r}"
    if not call.is_free and headers.attempts not in (None, len(call.requests)):
        yield f"x-headway-attempts is {headers.attempts} after {len(call.requests)} requests"
    hedges = [record for record in call.attempts if record.role == "hedge"]
    if (b"x-headway-hedged" in named) > bool(hedges):
        yield "x-headway-hedged without a hedge"
