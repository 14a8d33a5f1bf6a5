"""One client's request of a schedule that was played, with all that belongs to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
from msgspec.structs import replace

from headway.record import Record
from headway.routing.route import Route, RouteTarget
from simulation.answers import MARK
from simulation.clients import SimulatedClient
from simulation.dialects import Reading
from simulation.schedules import ProviderPlan, Schedule
from simulation.transport import SHADOW, SimulatedRequest
from simulation.world import World

CLOSING = "shutting_down"
FREE = ("hit", "coalesced")
CacheId = tuple[object, ...]


@dataclass
class PlayedCall:
    world: World
    client: SimulatedClient
    requests: list[SimulatedRequest]
    """To providers, the earliest first."""
    records: list[Record]
    """In the order in which they were written."""
    neighbours: list[PlayedCall] = field(default_factory=list)
    """The calls that may share an answer with it, itself included."""

    @property
    def schedule(self) -> Schedule:
        return self.world.schedule

    @cached_property
    def attempts(self) -> list[Record]:
        """The records of requests to providers, in the order in which those were sent."""
        found = [record for record in self.records if record.attempt]
        return sorted(found, key=lambda record: record.attempt)

    @cached_property
    def route(self) -> Route | None:
        """With what the client asks of it, but for the order of its targets."""
        question = self.client.question
        name, further = question.model, question.models
        named = next((each for each in self.schedule.routes if each.name == name), None)
        if named is None and not question.routing_fields:
            return None
        targets = (target_of(name),) if named is None else named.targets
        targets += tuple(target for model in further for target in self._targets_of(model))
        route = Route(name="request", targets=()) if named is None else named
        total = [each for each in (route.limits.total, question.timeout) if each is not None]
        limits = replace(route.limits, total=min(total, default=None))
        retries = question.retries or route.retries
        return replace(route, targets=targets, limits=limits, retries=retries)

    def _targets_of(self, model: str) -> tuple[RouteTarget, ...]:
        named = next((each for each in self.schedule.routes if each.name == model), None)
        return (target_of(model),) if named is None else named.targets

    @property
    def deadline(self) -> float | None:
        """Seconds from its arrival."""
        if self.route is None:
            return self.client.question.timeout
        return self.route.limits.total

    @cached_property
    def fallbacks(self) -> set[str]:
        """Targets for requests that are too long, or of unwanted content."""
        if self.route is None:
            return set()
        return {each.id for each in (*self.route.on_context_window, *self.route.on_content_policy)}

    @property
    def most_attempts(self) -> int:
        if self.route is not None:
            return self.route.max_attempts
        question = self.client.question
        provider = question.model.partition("/")[0]
        keys = next(len(each.keys) for each in self.schedule.providers if each.name == provider)
        return 1 + question.retries + max(0, keys - 1)

    @cached_property
    def reading(self) -> Reading:
        """Of a client that left, only the text counts. Raises msgspec.MsgspecError, ValueError for
        what is not of the client's format."""
        client = self.client
        if client.state == "left" or client.status is None:
            found = [match.group() for match in MARK.finditer(client.body.decode("latin-1"))]
            return Reading("".join(found))
        return client.dialect.read(client.is_streamed, client.status, client.body)

    def is_readable(self) -> bool:
        try:
            _ = self.reading
        except (msgspec.MsgspecError, ValueError):
            return False
        return True

    @cached_property
    def origins(self) -> list[SimulatedRequest]:
        """The requests that may have produced what the client got."""
        return [request for call in self.neighbours for request in call.requests]

    @cached_property
    def origin(self) -> SimulatedRequest | None:
        """The request that did; None where there was no text."""
        found = MARK.search(self.reading.text) if self.is_readable() else None
        if found is None:
            return None
        serial = int(found.group(1))
        return next((each for each in self.origins if each.asked.serial == serial), None)

    @cached_property
    def is_damaged(self) -> bool:
        """Some bytes may mean anything."""
        return any(each.plan.is_damaged for each in self.origins)

    def provider_plan(self, request: SimulatedRequest) -> ProviderPlan:
        plans = self.schedule.providers
        return next(each for each in plans if each.name == request.provider.name)

    @property
    def is_dispatched(self) -> bool:
        """It may have several attempts, from which the gateway learns about targets."""
        return self.route is not None or self.most_attempts > 1

    @property
    def has_company(self) -> bool:
        """Others may read the response to its request."""
        return len(self.neighbours) > 1

    @property
    def had_readers(self) -> bool:
        """Others did read responses to requests like its own, which go on for them."""
        return any(
            record.cache == "coalesced" for each in self.neighbours for record in each.records
        )

    @property
    def is_free(self) -> bool:
        """It was answered without a request of its own."""
        return bool(self.records) and self.records[-1].cache in FREE

    @property
    def was_aborted(self) -> bool:
        """By the end of the gateway."""
        return any(record.error_type == CLOSING for record in self.records)


def target_of(model: str) -> RouteTarget:
    provider, _, name = model.partition("/")
    return RouteTarget(provider=provider, model=name)


@dataclass
class Shadow:
    """A copy of a request, whose answer nobody sees."""

    request: SimulatedRequest
    records: list[Record]


def collect_calls(world: World) -> tuple[list[PlayedCall], list[Shadow], list[str]]:
    """The calls, the copies, and the request ids of records that are of none."""
    requests: dict[int, list[SimulatedRequest]] = defaultdict(list)
    for request in world.transport.requests:
        requests[request.client].append(request)
    records: dict[str, list[Record]] = defaultdict(list)
    for record in world.records():
        records[record.request_id].append(record)
    calls = [
        PlayedCall(
            world, client, requests[client.number], records.pop(f"client-{client.number}", [])
        )
        for client in world.clients
    ]
    _find_neighbours(world, calls)
    shadows = [Shadow(each, records.pop(each.request_id, [])) for each in requests[SHADOW]]
    return calls, shadows, list(records)


def _find_neighbours(world: World, calls: list[PlayedCall]) -> None:
    if world.schedule.cache is None:
        for call in calls:
            call.neighbours = [call]
        return
    groups: dict[CacheId, list[PlayedCall]] = defaultdict(list)
    for call in calls:
        group = groups[_cache_id(call)]
        group.append(call)
        call.neighbours = group


def _cache_id(call: PlayedCall) -> CacheId:
    """What determines an answer."""
    question, dialect = call.client.question, call.client.dialect
    wire = dialect.dialect.wire or dialect.name
    targets: tuple[str, ...] = ()
    if call.route is not None:  # ``models`` may name what the route has anyway
        targets = tuple(dict.fromkeys(target.id for target in call.route.targets))
    return (
        question.api_key, wire, question.model, targets, question.prompt, question.temperature,
        repr(question.provider),
    )  # fmt: skip
