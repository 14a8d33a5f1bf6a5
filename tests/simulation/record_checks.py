"""The records of one call: one for each attempt, true, and the last one marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from headway.record import Record
from simulation.billing import check_tokens
from simulation.played_call import PlayedCall
from simulation.prices import price_of
from simulation.transport import SimulatedRequest

CLOSING_STATUSES = (503, 529)


def check_records(call: PlayedCall) -> Iterator[str]:
    if len(call.attempts) != len(call.requests):
        numbers = [record.attempt for record in call.records]
        yield f"{len(call.requests)} requests have the records {numbers}"
        return
    yield from _check_last(call)
    for number, (request, record) in enumerate(
        zip(call.requests, call.attempts, strict=True), start=1
    ):
        for problem in _check_record(call, number, request, record):
            yield f"the record of request #{request.asked.serial}: {problem}"
    if call.is_free:
        yield from _check_free(call, call.records[-1])


def _check_last(call: PlayedCall) -> Iterator[str]:
    client, records = call.client, call.records
    if not records:
        if client.status not in CLOSING_STATUSES or call.schedule.closes_at is None:
            yield "has no record"
        return
    if [record.is_last for record in records] != [False] * (len(records) - 1) + [True]:
        yield f"the last record is not marked: {[record.is_last for record in records]}"
    if len({record.call_id for record in records}) != 1:
        yield "the records are of several calls"
    if len({record.id for record in records}) != len(records):
        yield "two records have one id"
    if len(records) > len(call.requests) + 1:
        yield f"{len(call.requests)} requests have {len(records)} records"
    if client.state == "left":
        return
    if records[-1].status != client.status:
        yield f"the status {client.status} is on record as {records[-1].status}"
    sizes = [record.response_bytes for record in records]
    if sum(size or 0 for size in sizes) != len(client.body) and records[-1].attempt:
        yield f"{len(client.body)} bytes are on record as {sizes}"


def _check_record(
    call: PlayedCall, number: int, request: SimulatedRequest, record: Record
) -> Iterator[str]:
    expected: Sequence[tuple[str, object]] = (
        ("attempt", number),
        ("provider", request.provider.name),
        ("model", request.asked.model),
        ("role", role_of(call, number, record)),
        ("route_name", None if call.route is None else call.route.name),
        ("provider_key", _name_of_key(call, request)),
    )
    for name, value in expected:
        if getattr(record, name) != value:
            yield f"{name} is {getattr(record, name)!r}, not {value!r}"
    if request.response_at is not None:
        if record.upstream_status != request.plan.status:
            yield f"upstream_status is {record.upstream_status}"
        if record.upstream_request_id != f"up-{request.asked.serial}":
            yield f"upstream_request_id is {record.upstream_request_id}"
    elif record.upstream_status is not None:
        yield f"upstream_status is {record.upstream_status} without a response"
    received = record.upstream_response_bytes or 0
    if received != request.received and not (
        len(call.neighbours) > 1 and received < request.received
    ):
        yield f"{request.received} bytes are on record as {received}"
    if record.outcome == "ok" and not (request.is_complete or request.plan.is_damaged):
        yield "ok, though it has no complete answer"
    if call.route is not None:
        yield from _check_decision(call, number, request, record)
    yield from check_tokens(call.schedule, request, record)


def role_of(call: PlayedCall, number: int, record: Record) -> str:
    """Why the attempt was made, by what was sent before."""
    before, this = call.requests[: number - 1], call.requests[number - 1]
    if not before:
        return "first"
    if record.role == "hedge" and call.route is not None and call.route.hedging is not None:
        return "hedge"
    return "retry" if this.target in [each.target for each in before] else "fallback"


def _name_of_key(call: PlayedCall, request: SimulatedRequest) -> str | None:
    return request.key.split("-")[1] if call.provider_plan(request).keys else None


def _check_decision(
    call: PlayedCall, number: int, request: SimulatedRequest, record: Record
) -> Iterator[str]:
    decision = msgspec.json.decode(record.decision or "null")
    if not isinstance(decision, dict):
        yield f"has the decision {record.decision!r}"
    elif number == 1 and decision["targets"][:1] != [request.target]:
        yield f"the decision begins with {decision['targets'][:1]}"
    elif request.target not in decision["targets"]:
        yield f"the decision has no {request.target}"


def _check_free(call: PlayedCall, record: Record) -> Iterator[str]:
    """An answer from the cache costs nothing, and saves what it saves."""
    if record.cost_usd is None or Decimal(record.cost_usd) != 0:
        yield f"an answer from the cache costs {record.cost_usd}"
    if record.outcome != "ok" or call.is_damaged or call.origin is None:
        return
    given, made = record.input_tokens, record.output_tokens
    if given is None or made is None:
        return
    expected = price_of(call.origin.provider.name, call.origin.asked.model, given, made)
    if record.saved_usd is None or Decimal(record.saved_usd) != expected:
        yield f"saved {record.saved_usd} where the answer costs {expected}"
