"""Plays a schedule: the real gateway and its real calls, with simulated time, providers and
clients."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from headway.pipeline import targets
from headway.pipeline.gateway import DrainLimits, Gateway, Snapshot, Upstream, UpstreamKey
from headway.policy.keys import KeyRing
from headway.ports import CachedResponse
from headway.providers import KINDS
from headway.record import Record, decode
from headway.response_cache.memory import MemoryCache
from headway.routing.model_aliases import ModelAliases
from headway.routing.route_table import RouteTable
from headway.routing_state.memory import MemoryRoutingState
from headway.types import Timeouts
from simulation.answers import MARK, WIRE_FORMATS
from simulation.clients import SimulatedClient, abort_all, active_calls
from simulation.prices import PRICES
from simulation.schedules import (
    EPOCH,
    START,
    TENANTS,
    CachePlan,
    ProviderPlan,
    Schedule,
    key_of,
)
from simulation.story import Story
from simulation.transport import SimulatedProvider, SimulatedTransport
from simulation.virtual_loop import VirtualLoop

GRACE = 3600.0
"""Seconds after the last client until everything must be over: above every timeout."""
COUNTED_INPUT = 77
"""What the simulated token counter says of every prompt."""
WARM_SAMPLES = 24
NO_KEYS = KeyRing.from_keys(())
TENANT_KEYS = KeyRing.from_keys(TENANTS)
DRAIN = DrainLimits(bytes=2000, seconds=20.0, usd=Decimal(1))
log = logging.getLogger("headway")


@dataclass
class World:
    """A schedule while it is played, and what came of it."""

    schedule: Schedule
    loop: VirtualLoop
    story: Story
    transport: SimulatedTransport
    gateway: Gateway
    clients: list[SimulatedClient]
    lines: list[bytes]
    """The records, as they were spooled."""

    def records(self) -> list[Record]:
        return [decode(line) for line in self.lines]

    def forget(self) -> None:
        """Let go of what has been played, most of which is freed at once then. The garbage
        collector would not find all of it: it does not look into results of tasks."""
        self.loop.forget()
        self.transport.requests.clear()
        self.clients.clear()


class LogHandler(logging.Handler):
    """An error in the log is a defect, but for a key that a provider refuses."""

    def __init__(self, story: Story) -> None:
        super().__init__(logging.ERROR)
        self.story = story

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("key "):
            return
        cause = record.exc_info[1] if record.exc_info else None
        self.story.violate(f"logged: {record.getMessage()}: {cause!r}")


class ListSpool:
    def __init__(self, lines: list[bytes]) -> None:
        self.append = lines.append


def play(schedule: Schedule) -> World:
    world = build(schedule)
    handler = LogHandler(world.story)
    log.addHandler(handler)
    propagates, log.propagate = log.propagate, False
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        _run(world)
    finally:
        log.setLevel(level)
        log.propagate = propagates
        log.removeHandler(handler)
    return world


def build(schedule: Schedule) -> World:
    loop = VirtualLoop(START)
    story = Story(loop.time)
    unix_time = _unix_clock(schedule, loop, story)
    providers = {each.name: _provider(each, schedule.seed) for each in schedule.providers}
    transport = SimulatedTransport(loop, providers, story, unix_time)
    lines: list[bytes] = []
    gateway = Gateway(
        _snapshot(schedule, transport),
        gateway_id="headway-00000000000000aa",
        spool=ListSpool(lines),
        clock=loop.time,
        unix_time=unix_time,
        new_id=_ids(),
        rng=Random(schedule.seed + 1).random,
        count=_counter(schedule, loop),
        sleep=_sleeper(loop),
        routing_state=MemoryRoutingState(schedule.breaker_rule, schedule.retry_share),
    )
    if schedule.is_warm:
        _warm_up(schedule, gateway)
    if schedule.cache is not None:
        gateway.response_cache = _cache(schedule.cache, loop)
    clients = [
        SimulatedClient(loop, story, each.dialect, each.question, each.behaviour)
        for each in schedule.clients
    ]
    return World(schedule, loop, story, transport, gateway, clients, lines)


def _run(world: World) -> None:
    schedule, loop, gateway = world.schedule, world.loop, world.gateway
    silence = schedule.comment_after
    keep_alive = None if silence is None else KeepAlive(world, silence)
    for client in world.clients:
        at = client.behaviour.arrives_at
        loop.call_at(at, client.ask, gateway)
        if keep_alive is not None:
            loop.call_at(at, keep_alive.start)
    if schedule.closes_at is not None:
        loop.call_at(schedule.closes_at, _close, world)
    loop.run_until(schedule.end + GRACE)


def _close(world: World) -> None:
    world.story.tell("the gateway is asked to end")
    world.gateway.is_closing = True
    world.loop.call_later(world.schedule.grace, abort_all, world.gateway)


class KeepAlive:
    """Asks for comments as the server does, as long as there are calls."""

    def __init__(self, world: World, silence: float) -> None:
        self._world = world
        self._silence = silence
        self._is_running = False

    def start(self) -> None:
        if not self._is_running:
            self._is_running = True
            self._world.loop.call_later(self._silence / 2, self._tick)

    def _tick(self) -> None:
        self._is_running = False
        gateway = self._world.gateway
        for call in active_calls(gateway):
            call.keep_alive(self._world.loop.now, self._silence)
        if gateway.active:
            self.start()


# --- Parts ----------------------------------------------------------------------------------------


def _provider(plan: ProviderPlan, seed: int) -> SimulatedProvider:
    return SimulatedProvider(
        plan.name,
        WIRE_FORMATS[plan.kind],
        plan.pace,
        Random(seed * 31 + int(plan.name[1:])),
        plan.texts,
        plan.reports_usage,
        plan.episodes,
    )


def _warm_up(schedule: Schedule, gateway: Gateway) -> None:
    """As after many answers in the usual pace of each target."""
    paces = {plan.name: plan.pace for plan in schedule.providers}
    for target in dict.fromkeys(each.id for route in schedule.routes for each in route.targets):
        state, pace = gateway.routing_state.target(target), paces[target.partition("/")[0]]
        for number in range(WARM_SAMPLES):
            seconds = pace.first * (0.5 + number / WARM_SAMPLES)
            state.streams.observe(seconds, START)
            state.wholes.observe(seconds, START)
        state.streams.observe_rate(100, 10.0)
        state.wholes.observe_rate(100, 10.0)


def _snapshot(schedule: Schedule, transport: SimulatedTransport) -> Snapshot:
    timeouts = Timeouts(**schedule.timeouts)
    upstreams = [_upstream(each, transport, timeouts) for each in schedule.providers]
    routes, cache = schedule.routes, schedule.cache
    return Snapshot(
        upstreams={each.name: each for each in upstreams},
        keys=NO_KEYS if cache is None else TENANT_KEYS,
        routes=RouteTable.from_names([(route.name, route) for route in routes]),
        aliases=ModelAliases.from_table({route.name: route.targets[0].id for route in routes}),
        cache=None if cache is None else cache.policy,
        prices=PRICES,
        body_limit=100_000,
        json_limit=10_000,
        drain=DRAIN if schedule.drains else None,
    )


def _upstream(plan: ProviderPlan, transport: SimulatedTransport, timeouts: Timeouts) -> Upstream:
    names = plan.keys or ("only",)
    keys = [
        UpstreamKey(id=f"{plan.name}#{name}", name=name, key=key_of(plan.name, name))
        for name in names
    ]
    upstream = Upstream(
        name=plan.name,
        provider=KINDS[plan.kind],
        base_url=f"https://{plan.name}/v1",
        api_key=keys[0].key,
        keys=tuple(keys) if plan.keys else (),
        needs_key=True,
        timeouts=timeouts,
        transport=transport,
        public_transport=transport,
    )
    return replace(upstream, target=targets.fixed(upstream))


class SharedCache(MemoryCache):
    """As where several processes keep responses: what it has must be awaited."""

    is_shared = True

    def __init__(self, limit: int, sleep: Callable[[float], Any], delay: float) -> None:
        super().__init__(limit)
        self._sleep = sleep
        self._delay = delay

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        return None

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        await self._sleep(self._delay)
        return super().get(key, now)


def _cache(plan: CachePlan, loop: VirtualLoop) -> MemoryCache:
    if plan.load_delay is None:
        return MemoryCache(plan.memory)
    return SharedCache(plan.memory, _sleeper(loop), plan.load_delay)


def _unix_clock(schedule: Schedule, loop: VirtualLoop, story: Story) -> Callable[[], float]:
    """Unix time is stepped; the monotonic clock is not."""
    offset = EPOCH - START

    def step(seconds: float) -> None:
        nonlocal offset
        offset += seconds
        story.tell("the unix time is stepped", None, f"{seconds:+g} s")

    for at, seconds in schedule.clock_steps:
        loop.call_at(at, step, seconds)
    return lambda: loop.now + offset


def _ids() -> Callable[[], str]:
    count = 0

    def new_id() -> str:
        nonlocal count
        count += 1
        return f"00000000-0000-4000-8000-{count:012x}"

    return new_id


def _sleeper(loop: VirtualLoop) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        future = loop.create_future()
        timer = loop.call_later(seconds, _wake, future)
        try:
            await future
        finally:
            timer.cancel()

    return sleep


def _wake(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def _counter(schedule: Schedule, loop: VirtualLoop) -> Callable[[str, bytes, str], Any]:
    """The prompt has ``COUNTED_INPUT`` tokens, and each mark is one."""
    sleep = _sleeper(loop)

    async def count(model: str, messages: bytes, output: str) -> tuple[int | None, int | None]:
        if schedule.count_delay:
            await sleep(schedule.count_delay)
        if not schedule.counts:
            return None, None
        return COUNTED_INPUT, len(MARK.findall(output))

    return count
