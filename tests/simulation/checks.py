"""What must hold of every schedule, checked when it has been played."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from headway.pipeline.drain import INTERVAL_S
from headway.record import Record
from headway.routing.retry import CAP_S
from simulation.answers import MARK, mark
from simulation.billing import check_tokens
from simulation.clients import SimulatedClient
from simulation.dialects import Reading
from simulation.transport import SimulatedRequest
from simulation.world import DRAIN, World

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
        "empty_body": "truncated_stream protocol_error",
        "web_page": "protocol_error provider_error authentication_error",
        "error_in_stream": "overloaded_error provider_error",
        "garbled": "protocol_error truncated_stream timeout_error provider_error",
    }.items()
}
"""Fault of the last attempt -> the types of error that tell of it."""
FINAL = frozenset({"rejected", "revoked", "quota"})
"""Faults after which the same request with the same key is pointless."""
PASSING = frozenset(
    {"refused", "unreachable", "reset_before_head", "silent", "server_error", "rate_limit"}
)
"""Faults before any content after which another attempt may help."""
SLACK = 1e-6
"""Seconds, for what is computed in floating point."""
CLOSING = "shutting_down"
CLOSING_STATUSES = (503, 529)


def check(world: World) -> list[str]:
    """Everything that is wrong; empty if all is well."""
    found = list(world.story.violations)
    found += (f"unhandled: {failure}" for failure in world.loop.failures)
    found += _check_end(world)
    requests: dict[int, list[SimulatedRequest]] = defaultdict(list)
    for request in world.transport.requests:
        requests[request.client].append(request)
    records: dict[str, list[Record]] = defaultdict(list)
    for record in world.records():
        records[record.request_id].append(record)
    for client in world.clients:
        own = Call(
            world, client, requests[client.number], records.pop(f"client-{client.number}", [])
        )
        found += (f"client {client.number}: {problem}" for problem in own.check())
    found += (f"records of nobody: {name}" for name in records)
    return found


def _check_end(world: World) -> Iterator[str]:
    """Nothing is left."""
    for task in world.loop.pending_tasks():
        yield f"a task is left: {task!r}"
    for timer in world.loop.pending_timers():
        yield f"a timer is left: {timer!r}"
    if world.gateway.active:
        yield f"{len(world.gateway.active)} calls are still active"
    if world.gateway.background_tasks:
        yield "background tasks are left"
    for request in world.transport.requests:
        if request.state == "open":
            yield f"the request #{request.asked.serial} to {request.target} is still open"


class Call:
    """One client's request with all that belongs to it."""

    def __init__(
        self,
        world: World,
        client: SimulatedClient,
        requests: list[SimulatedRequest],
        records: list[Record],
    ) -> None:
        self.world = world
        self.schedule = world.schedule
        self.client = client
        self.requests = requests
        """To providers, the earliest first."""
        self.attempts = [record for record in records if record.attempt]
        self.records = records
        self.is_damaged = any(each.plan.is_damaged for each in requests)
        """Some bytes may mean anything."""

    def check(self) -> Iterator[str]:
        client = self.client
        if not client.is_over:
            yield f"got no end: {client.state}"
            return
        if client.state == "aborted":
            yield "the connection was broken instead of an error being sent"
        try:
            reading = self._read()
        except (msgspec.MsgspecError, ValueError) as error:
            yield f"cannot read the reply: {error}: {client.body[-300:]!r}"
            return
        yield from self._check_reply(reading)
        yield from self._check_text(reading)
        yield from self._check_requests()
        yield from self._check_retries()
        yield from self._check_persistence()
        yield from self._check_records(reading)

    def _read(self) -> Reading:
        """Of a client that left, only the text counts."""
        client = self.client
        if client.state == "left":
            found = [match.group() for match in MARK.finditer(client.body.decode("latin-1"))]
            return Reading("".join(found))
        assert client.status is not None
        return client.dialect.read(client.is_streamed, client.status, client.body)

    # --- The reply --------------------------------------------------------------------------------

    def _check_reply(self, reading: Reading) -> Iterator[str]:
        client = self.client
        if client.state == "left" or self.is_damaged:
            return
        if reading.is_complete == reading.has_error:
            yield f"neither a complete answer nor an error: {client.body[-300:]!r}"
        if not client.is_streamed and reading.has_error != (client.status != 200):
            yield f"the status {client.status} does not go with the body"
        if reading.is_complete and not any(each.is_complete for each in self.requests):
            yield "a complete answer, though no provider gave one"
        unharmed = [each for each in self.requests if not each.plan.fault]
        if reading.has_error and any(each.is_complete for each in unharmed):
            yield "an error, though a provider gave a complete answer"

    def _check_text(self, reading: Reading) -> Iterator[str]:
        """From one request to a provider, in order, without a gap."""
        if self.is_damaged:
            return
        marks = MARK.findall(reading.text)
        origins = {int(serial) for serial, _ in marks}
        if len(origins) > 1:
            yield f"content of several origins: {reading.text}"
        by_serial = {each.asked.serial: each for each in self.requests}
        if not origins.issubset(by_serial):
            yield f"content of another client's request: {reading.text}"
        if len(origins) != 1 or not origins.issubset(by_serial):
            return
        origin = by_serial[origins.pop()]
        if self.client.state == "left":
            return
        expected = [mark(origin.asked.serial, number) for number in range(len(marks))]
        if reading.text != "".join(expected):
            yield f"the text is damaged: {reading.text}"
        if reading.is_complete and len(marks) != origin.asked.texts:
            yield f"{len(marks)} of {origin.asked.texts} pieces of the answer"

    # --- Requests to providers --------------------------------------------------------------------

    def _check_requests(self) -> Iterator[str]:
        client = self.client
        most = 1 + client.question.retries
        if len(self.requests) > most:
            yield f"{len(self.requests)} attempts, allowed are {most}"
        if client.ended_at is None:
            return
        allowed_until = client.ended_at
        if client.state == "left" and self.schedule.drains:
            allowed_until += DRAIN.seconds + INTERVAL_S + SLACK
        for request in self.requests:
            ended_at = request.ended_at or request.started
            if ended_at > allowed_until:
                yield f"the request #{request.asked.serial} went on after the client's end"
            if client.content_at is not None and request.started > client.content_at:
                yield f"the request #{request.asked.serial} was sent after content"

    def _check_retries(self) -> Iterator[str]:
        for before, after in pairwise(self.requests):
            if (before.target, before.key) != (after.target, after.key):
                continue
            serial, plan = after.asked.serial, before.plan
            if plan.fault in FINAL:
                yield f"the request #{serial} was sent again after {plan.fault!r}"
            wait = plan.retry_after
            if wait and after.started < (before.ended_at or 0.0) + wait - SLACK:
                yield f"the request #{serial} was sent before the provider's Retry-After"

    def _check_persistence(self) -> Iterator[str]:
        """A failure that may pass was tried again as often as the client asked for."""
        client = self.client
        if client.state == "left" or not self.attempts or not self.requests:
            return
        last = self.requests[-1]
        wait = last.plan.retry_after or 0.0
        if (
            len(self.requests) <= client.question.retries
            and self.attempts[-1].outcome == "error"
            and last.plan.fault in PASSING
            and self.attempts[-1].error_type != CLOSING
            and self.records[-1].error_type != CLOSING
            and wait <= CAP_S
        ):
            yield f"gave up after {len(self.requests)} attempts, over {last.plan.fault!r}"

    # --- Records ----------------------------------------------------------------------------------

    def _check_records(self, reading: Reading) -> Iterator[str]:
        if len(self.attempts) != len(self.requests):
            numbers = [record.attempt for record in self.records]
            yield f"{len(self.requests)} requests have the records {numbers}"
            return
        yield from self._check_last()
        for number, (request, record) in enumerate(
            zip(self.requests, self.attempts, strict=True), start=1
        ):
            for problem in self._check_record(number, request, record):
                yield f"the record of request #{request.asked.serial}: {problem}"

    def _check_last(self) -> Iterator[str]:
        client, records = self.client, self.records
        if not records:
            if client.status not in CLOSING_STATUSES or self.schedule.closes_at is None:
                yield "has no record"
            return
        if [record.is_last for record in records] != [False] * (len(records) - 1) + [True]:
            yield f"the last record is not marked: {[record.is_last for record in records]}"
        if len({record.call_id for record in records}) != 1:
            yield "the records are of several calls"
        if len({record.id for record in records}) != len(records):
            yield "two records have one id"
        if client.state == "left":
            return
        if records[-1].status != client.status:
            yield f"the status {client.status} is on record as {records[-1].status}"
        if sum(record.response_bytes or 0 for record in records) != len(client.body):
            sizes = [record.response_bytes for record in records]
            if records[-1].attempt:
                yield f"{len(client.body)} bytes are on record as {sizes}"
        yield from self._check_error(records[-1])

    def _check_error(self, record: Record) -> Iterator[str]:
        if record.outcome == "ok" or record.error_type == CLOSING:
            if record.error_type == CLOSING and self.schedule.closes_at is None:
                yield "speaks of a shutdown, and there is none"
            return
        if not self.requests:
            yield f"an error without any request: {record.error_type}"
            return
        last = self.requests[-1]
        allowed = ERROR_TYPES[last.plan.fault]
        if last.plan.status != 200 and self.requests[-1].response_at is None:
            allowed |= {"timeout_error"}
        if self.client.behaviour.reads_after is not None:
            allowed |= {"timeout_error"}
        if record.error_type not in allowed:
            yield f"the fault {last.plan.fault!r} became {record.error_type}"

    def _check_record(
        self, number: int, request: SimulatedRequest, record: Record
    ) -> Iterator[str]:
        expected: Sequence[tuple[str, object]] = (
            ("attempt", number),
            ("provider", request.provider.name),
            ("model", request.asked.model),
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
        if (record.upstream_response_bytes or 0) != request.received:
            yield f"{request.received} bytes are on record as {record.upstream_response_bytes}"
        if (record.outcome == "ok") and not (request.is_complete or request.plan.is_damaged):
            yield "ok, though it has no complete answer"
        yield from check_tokens(self.schedule, request, record)
