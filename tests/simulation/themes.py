"""Kinds of schedules. Most are mixed; the others are arranged so that one matter comes up often:
a storm of retries, a recovery, clients that leave, hedges."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from headway.routing.breaker import BreakerRule
from headway.routing.route import Condition, Hedging, Limits, Route, RouteTarget
from simulation.choice_checks import CONDITIONS, GOLD, SESSION
from simulation.faults import Episode
from simulation.schedules import (
    START,
    Schedule,
    add_clients,
    add_shocks,
    make_cache,
    make_providers,
    make_routes_of,
    models_of,
)

Theme = Callable[[Random, Schedule], None]
FOR_EVER = 1e9


def mixed(rng: Random, schedule: Schedule) -> None:
    """A bit of everything."""
    count = rng.randint(2, 8) if rng.random() < 0.75 else rng.randint(8, 24)
    schedule.length = count * rng.choice((0.05, 0.05, 0.5, 0.5, 2.0, 8.0, 40.0))
    make_providers(rng, schedule)
    if rng.random() < 0.7:
        make_routes_of(rng, schedule)
    if rng.random() < 0.1:
        schedule.cache = make_cache(rng)
    add_clients(rng, schedule, count)
    add_shocks(rng, schedule)


def cached(rng: Random, schedule: Schedule) -> None:
    """Few different questions."""
    count = rng.randint(8, 24)
    schedule.length = count * rng.choice((0.05, 0.05, 0.5, 2.0))
    make_providers(rng, schedule)
    if rng.random() < 0.5:
        make_routes_of(rng, schedule)
    schedule.cache = make_cache(rng)
    for provider in schedule.providers:
        kind = rng.choice(("too_long", "filtered", "stall", "cut"))
        provider.episodes.append(Episode(kind, START - 1.0, FOR_EVER, share=0.2))
    add_clients(rng, schedule, count)
    for client in schedule.clients:
        if rng.random() < 0.3:
            client.behaviour.leaves_after = rng.choice((0.3, 1.5, 3.0))
    add_shocks(rng, schedule)


def storm(rng: Random, schedule: Schedule) -> None:
    """Many clients, and the only target of their route fails."""
    schedule.length = rng.choice((5.0, 20.0))
    make_providers(rng, schedule)
    first = schedule.providers[0]
    kind = rng.choice(("refused", "server_error", "reset_before_head"))
    first.episodes = [Episode(kind, START - 1.0, FOR_EVER)]
    target = RouteTarget(provider=first.name, model="large")
    schedule.routes = [Route(name="route-0", targets=(target,), retries=2, max_attempts=3)]
    add_clients(rng, schedule, rng.randint(60, 110))


def limited(rng: Random, schedule: Schedule) -> None:
    """Providers limit the rate of requests, and calls may wait and be sent again."""
    count = rng.randint(3, 10)
    schedule.length = count * rng.choice((0.5, 5.0))
    make_providers(rng, schedule)
    for provider in schedule.providers:
        amount = rng.choice((0.2, 1.0, 4.0))
        provider.episodes = [Episode("rate_limit", START - 1.0, FOR_EVER, share=0.6, amount=amount)]
    target = RouteTarget(provider=schedule.providers[0].name, model="large")
    schedule.routes = [Route(name="route-0", targets=(target,), retries=rng.randint(1, 3))]
    add_clients(rng, schedule, count)


def recovery(rng: Random, schedule: Schedule) -> None:
    """A target fails for a while, and is well again for longer than any cool-down."""
    schedule.length = 400.0
    make_providers(rng, schedule, least=2)
    for provider in schedule.providers:
        provider.episodes = []
        provider.pace = provider.pace._replace(first=min(provider.pace.first, 0.5))
    first, second = schedule.providers[:2]
    kind = rng.choice(("refused", "server_error", "reset_before_head", "truncated"))
    first.episodes = [Episode(kind, START - 1.0, START + rng.uniform(10.0, 60.0))]
    targets = [RouteTarget(provider=each.name, model="large") for each in (first, second)]
    schedule.routes = [Route(name="route-0", targets=tuple(targets))]
    schedule.breaker_rule = BreakerRule(
        failures=2, cool_down_s=rng.choice((1.0, 15.0)), max_cool_down_s=60.0
    )
    add_clients(rng, schedule, rng.randint(20, 40))
    for client in schedule.clients:
        client.behaviour.reads_after = None


def balanced(rng: Random, schedule: Schedule) -> None:
    """Many clients, and healthy targets that share the load."""
    schedule.length = rng.choice((10.0, 60.0))
    make_providers(rng, schedule, least=2)
    for provider in schedule.providers:
        provider.episodes = []
    targets = [RouteTarget(provider=each.name, model="large") for each in schedule.providers[:3]]
    strategy = "weighted" if rng.random() < 0.5 else "least_outstanding"
    schedule.routes = [Route(name="route-0", targets=tuple(targets), strategy=strategy)]
    add_clients(rng, schedule, rng.randint(70, 110))


def leaving(rng: Random, schedule: Schedule) -> None:
    """Most clients leave, from responses that stall or trickle."""
    count = rng.randint(4, 10)
    schedule.length = count * 1.0
    make_providers(rng, schedule)
    for provider in schedule.providers:
        kind = rng.choice(("stall", "trickle", "slow_start"))
        provider.episodes = [Episode(kind, START - 1.0, FOR_EVER, share=0.6, amount=30.0)]
    if rng.random() < 0.5:
        make_routes_of(rng, schedule)
    add_clients(rng, schedule, count)
    schedule.timeouts = {"connect": 10.0, "first_byte": 300.0, "idle": 120.0, "total": 1800.0}
    schedule.drains = rng.random() < 0.7
    for client in schedule.clients:
        if rng.random() < 0.7:
            client.behaviour.leaves_after = rng.choice((0.5, 3.0, 10.0))


def hedged(rng: Random, schedule: Schedule) -> None:
    """Some answers begin late, and a second request may be sent."""
    count = rng.randint(6, 20)
    schedule.length = count * rng.choice((0.2, 2.0))
    make_providers(rng, schedule, least=2)
    for provider in schedule.providers:
        kind = rng.choice(("slow_start", "silent", "stall", "cut"))
        provider.episodes = [Episode(kind, START - 1.0, FOR_EVER, share=0.3, amount=15.0)]
    make_routes_of(rng, schedule)
    schedule.routes = [
        replace(
            route,
            hedging=Hedging(max_share=rng.choice((0.3, 1.0))),
            limits=rng.choice((Limits(), route.limits)),
            max_attempts=max(2, route.max_attempts),
        )
        for route in schedule.routes
    ]
    schedule.is_warm = True
    add_clients(rng, schedule, count)
    add_shocks(rng, schedule)


def conditional(rng: Random, schedule: Schedule) -> None:
    """Targets take some requests only; the last one takes all."""
    count = rng.randint(6, 16)
    schedule.length = count * rng.choice((0.2, 2.0))
    make_providers(rng, schedule, least=2)
    *names, last = rng.sample(models_of(schedule), 3)
    for name in names:
        schedule.conditions[name] = rng.choice(sorted(CONDITIONS))
    made = {name: CONDITIONS[each][0]() for name, each in schedule.conditions.items()}
    targets = [_target(name, made.get(name)) for name in (*names, last)]
    strategy = rng.choice(("ordered", "weighted", "least_outstanding"))
    schedule.routes = [Route(name="route-0", targets=tuple(targets), strategy=strategy)]
    add_clients(rng, schedule, count)
    for client in schedule.clients:
        if rng.random() < 0.5:
            client.question = client.question._replace(headers=(GOLD,))


def sticky(rng: Random, schedule: Schedule) -> None:
    """Few sessions, and healthy targets."""
    schedule.length = 20.0
    make_providers(rng, schedule, least=2)
    for provider in schedule.providers:
        provider.episodes = []
    targets = [_target(name, None) for name in rng.sample(models_of(schedule), 3)]
    strategy = rng.choice(("weighted", "least_outstanding", "lowest_latency"))
    route = Route(name="route-0", targets=tuple(targets), strategy=strategy, sticky="session")
    schedule.routes = [route]
    add_clients(rng, schedule, rng.randint(8, 20))
    for client in schedule.clients:
        session = b"session-%d" % rng.randrange(3)
        client.question = client.question._replace(headers=((SESSION, session),))


def _target(name: str, condition: Condition | None) -> RouteTarget:
    provider, _, model = name.partition("/")
    return RouteTarget(provider=provider, model=model, condition=condition)


THEMES: list[tuple[Theme, float]] = [
    (mixed, 0.61),
    (conditional, 0.02),
    (sticky, 0.02),
    (cached, 0.1),
    (limited, 0.03),
    (leaving, 0.08),
    (hedged, 0.08),
    (recovery, 0.03),
    (storm, 0.015),
    (balanced, 0.015),
]
"""With how often they are played."""


def make_schedule(seed: int, theme: Theme | None = None) -> Schedule:
    rng = Random(seed)
    themes, weights = zip(*THEMES, strict=True)
    drawn: Theme = rng.choices(themes, weights)[0]
    theme = theme or drawn
    schedule = Schedule(seed, theme.__name__)
    theme(rng, schedule)
    return schedule
