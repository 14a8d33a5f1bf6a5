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

from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook
from headway.pipeline import targets
from headway.pipeline.gateway import DrainLimits, Gateway, Snapshot, Upstream
from headway.policy.keys import KeyRing
from headway.providers import KINDS
from headway.record import Record, decode
from headway.routing_state.memory import MemoryRoutingState
from headway.types import Timeouts
from simulation.answers import MARK, WIRE_FORMATS
from simulation.clients import SimulatedClient, abort_all
from simulation.schedules import EPOCH, MODELS, START, ProviderPlan, Schedule
from simulation.story import Story
from simulation.transport import SimulatedProvider, SimulatedTransport
from simulation.virtual_loop import VirtualLoop

GRACE = 3600.0
"""Seconds after the last client until everything must be over: above every timeout."""
COUNTED_INPUT = 77
"""What the simulated token counter says of every prompt."""
KEEP_ALIVE_INTERVAL = 1.0
MOST_PROVIDERS = 4
NO_PRICES = b'{"source":"none","version":"0","date":"2026-01-01","providers":{}}'
PRICE = ConfiguredPrice(input=Decimal(1), output=Decimal(2))
PRICES = PriceBook.load(
    NO_PRICES,
    {f"p{number}": dict.fromkeys(MODELS, PRICE) for number in range(MOST_PROVIDERS)},
)
KEYS = KeyRing.from_keys(())
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


class LogHandler(logging.Handler):
    """An error in the log is a defect, but for a key that a provider refuses."""

    def __init__(self, story: Story) -> None:
        super().__init__(logging.ERROR)
        self.story = story

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("a provider refuses a key"):
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
        routing_state=MemoryRoutingState(),
    )
    clients = [
        SimulatedClient(loop, story, each.dialect, each.question, each.behaviour)
        for each in schedule.clients
    ]
    return World(schedule, loop, story, transport, gateway, clients, lines)


def _run(world: World) -> None:
    schedule, loop, gateway = world.schedule, world.loop, world.gateway
    for client in world.clients:
        loop.call_at(client.behaviour.arrives_at, client.ask, gateway)
    if schedule.closes_at is not None:
        loop.call_at(schedule.closes_at, _close, world)
    if schedule.comment_after is not None:
        _keep_alive(world, schedule.comment_after)
    loop.run_until(schedule.end + GRACE)


def _close(world: World) -> None:
    world.story.tell("the gateway is asked to end")
    world.gateway.is_closing = True
    world.loop.call_later(world.schedule.grace, abort_all, world.gateway)


def _keep_alive(world: World, silence: float) -> None:
    """As the server does, while there is anything to do."""
    loop, gateway = world.loop, world.gateway
    for call in list(gateway.active):
        call.keep_alive(loop.now, silence)
    if gateway.active or loop.now < world.schedule.end:
        loop.call_later(min(KEEP_ALIVE_INTERVAL, silence / 4), _keep_alive, world, silence)


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


def _snapshot(schedule: Schedule, transport: SimulatedTransport) -> Snapshot:
    timeouts = Timeouts(**schedule.timeouts)
    upstreams = [_upstream(each, transport, timeouts) for each in schedule.providers]
    return Snapshot(
        upstreams={each.name: each for each in upstreams},
        keys=KEYS,
        prices=PRICES,
        body_limit=100_000,
        json_limit=10_000,
        drain=DRAIN if schedule.drains else None,
    )


def _upstream(plan: ProviderPlan, transport: SimulatedTransport, timeouts: Timeouts) -> Upstream:
    upstream = Upstream(
        name=plan.name,
        provider=KINDS[plan.kind],
        base_url=f"https://{plan.name}/v1",
        api_key=f"key-of-{plan.name}",
        needs_key=True,
        timeouts=timeouts,
        transport=transport,
        public_transport=transport,
    )
    return replace(upstream, target=targets.fixed(upstream))


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
