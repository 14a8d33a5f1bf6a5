"""What a client got: one answer of one origin, which ends properly, or an honest error."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from headway.routing.route import Limits
from simulation.answers import MARK, mark
from simulation.played_call import CLOSING, PlayedCall

ERROR_TYPES: dict[str, frozenset[str]] = {
    fault: frozenset(types.split())
    for fault, types in {
        "": "",
        "refused": "connection_error",
        "unreachable": "timeout_error",
        "reset_before_head": "connection_error",
        "silent": "timeout_error",
        "slow_start": "timeout_error",
        "trickle": "timeout_error",
        "cut": "connection_error",
        "truncated": "truncated_stream protocol_error",
        "stall": "timeout_error",
        "rate_limit": "rate_limit_error",
        "server_error": "provider_error overloaded_error",
        "revoked": "authentication_error",
        "quota": "insufficient_quota",
        "rejected": "invalid_request_error",
        "context_window": "invalid_request_error",
        "content_policy": "invalid_request_error",
        "too_long": "",
        "filtered": "",
        "empty_body": "truncated_stream protocol_error",
        "empty_answer": "",
        "web_page": "protocol_error provider_error authentication_error",
        "error_in_stream": "overloaded_error provider_error",
        "garbled": "protocol_error truncated_stream timeout_error provider_error",
    }.items()
}
"""Fault of an attempt -> the types of error that tell of it."""
TIMEOUT = "timeout_error"
DONE = ("ended", "finished")
"""States of requests whose response was read to its end."""


def check_reply(call: PlayedCall) -> Iterator[str]:
    client = call.client
    if not client.is_over:
        yield f"got no end: {client.state}"
        return
    if client.state == "aborted":
        yield "the connection was broken instead of an error being sent"
    try:
        reading = call.reading
    except (msgspec.MsgspecError, ValueError) as error:
        yield f"cannot read the reply: {error}: {client.body[-300:]!r}"
        return
    if client.state == "left" or call.is_damaged:
        return
    if reading.is_complete == reading.has_error:
        yield f"neither a complete answer nor an error: {client.body[-300:]!r}"
    if not client.is_streamed and reading.has_error != (client.status != 200):
        yield f"the status {client.status} does not go with the body"
    if reading.is_complete and not any(each.is_complete for each in call.origins):
        yield "a complete answer, though no provider gave one"
    # An answer that others read may be complete after its own client's deadline.
    unharmed = [each for each in call.requests if not each.plan.fault and each.state in DONE]
    if not call.has_company and reading.has_error and any(each.is_complete for each in unharmed):
        yield "an error, though a provider gave a complete answer"


def check_text(call: PlayedCall) -> Iterator[str]:
    """From one request to a provider, in order, without a gap."""
    if not call.is_readable() or call.is_damaged:
        return
    reading = call.reading
    marks = MARK.findall(reading.text)
    serials = {int(serial) for serial, _ in marks}
    if len(serials) > 1:
        yield f"content of several origins: {reading.text}"
        return
    origin = call.origin
    if serials and origin is None:
        yield f"content of another client's request: {reading.text}"
    if origin is None or call.client.state == "left":
        return
    if origin.client != call.client.number and not call.is_free:
        yield f"content of request #{origin.asked.serial}, which is client {origin.client}'s"
    expected = [mark(origin.asked.serial, number) for number in range(len(marks))]
    if reading.text != "".join(expected):
        yield f"the text is damaged: {reading.text}"
    if reading.is_complete and len(marks) != origin.asked.texts:
        yield f"{len(marks)} of {origin.asked.texts} pieces of the answer"


def check_error(call: PlayedCall) -> Iterator[str]:
    """The error that the client got tells of something that happened."""
    client, records = call.client, call.records
    if client.state == "left" or not records or records[-1].outcome == "ok":
        return
    error = records[-1].error_type
    if error == CLOSING:
        if call.schedule.closes_at is None:
            yield "speaks of a shutdown, and there is none"
        return
    if not call.origins:
        if not _is_without_target(call):
            yield f"an error without any request: {error}: {records[-1].error_message}"
        return
    allowed = set[str | None]()
    for request in call.origins if call.route or call.is_free else call.requests[-1:]:
        allowed |= ERROR_TYPES[request.plan.fault]
        if request.response_at is None and request.plan.status != 200:
            allowed.add(TIMEOUT)
    if any(each.client.behaviour.reads_after for each in call.neighbours) or _has_limits(call):
        allowed.add(TIMEOUT)
    if call.route is not None and "empty" in call.route.fail_on:
        allowed.add("provider_error")
    if call.route is not None and call.route.on_content_policy:
        allowed.add("invalid_request_error")  # of an answer that was cut for what it says
    if error not in allowed and not _is_without_target(call):
        faults = [request.plan.fault for request in call.requests]
        yield f"the faults {faults} became {error}"


def _has_limits(call: PlayedCall) -> bool:
    limits = Limits() if call.route is None else call.route.limits
    given = (call.deadline, limits.time_to_first_token, limits.idle, limits.tokens_per_second)
    return any(each is not None for each in given)


def _is_without_target(call: PlayedCall) -> bool:
    """No target is as the client wants it."""
    wishes = call.client.question.provider
    return bool(wishes) and call.records[-1].error_code == "no_target"
