"""The parts of random schedules: providers and their faults, routes, clients, and shocks.

A schedule is values only; ``world.play`` runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from headway.pipeline.cache_policy import CachePolicy
from headway.routing.breaker import BreakerRule
from headway.routing.route import Route
from simulation.answers import WIRE_FORMATS
from simulation.clients import Behaviour
from simulation.dialects import DIALECTS, Question, SimulatedDialect
from simulation.faults import FAULTS, Episode, Pace
from simulation.random_routes import make_breaker_rule, make_routes

START = 10_000.0
"""The monotonic clock when a schedule begins."""
EPOCH = 1_800_000_000.0
"""Unix time then."""
MOST_PROVIDERS = 4
MODELS = ("large", "small")
KINDS = tuple(WIRE_FORMATS)
FAULT_NAMES = tuple(FAULTS)
OF_KEYS = frozenset({"revoked", "quota", "rate_limit"})
"""Faults that may concern one key only."""
MAX_RETRIES = 4
TENANTS = ("sk-tenant-a", "sk-tenant-b")
"""Keys of the gateway."""


@dataclass
class ProviderPlan:
    """A simulated provider, before it has any state."""

    name: str
    kind: str
    pace: Pace
    texts: tuple[int, int]
    reports_usage: float
    keys: tuple[str, ...]
    """The names of its keys; empty: it has one."""
    episodes: list[Episode] = field(default_factory=list)


@dataclass
class ClientPlan:
    dialect: SimulatedDialect
    question: Question
    behaviour: Behaviour


@dataclass
class CachePlan:
    policy: CachePolicy
    memory: int
    """Bytes."""
    load_delay: float | None = None
    """Seconds; None: it is in the memory of this process."""


@dataclass
class Schedule:
    """Everything that is decided before a run. Times are those of the monotonic clock."""

    seed: int
    theme: str
    """What it is about: see ``themes``."""
    length: float = 0.0
    """Seconds in which clients arrive."""
    providers: list[ProviderPlan] = field(default_factory=list)
    clients: list[ClientPlan] = field(default_factory=list)
    timeouts: dict[str, float] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    conditions: dict[str, str] = field(default_factory=dict)
    """Target of the routes -> name of the condition that it has."""
    breaker_rule: BreakerRule = field(default_factory=BreakerRule)
    retry_share: float = 0.1
    is_warm: bool = False
    """The gateway has measured all targets before."""
    cache: CachePlan | None = None
    clock_steps: list[tuple[float, float]] = field(default_factory=list)
    """Time, and the seconds by which the unix time jumps then."""
    closes_at: float | None = None
    """The gateway is asked to end."""
    grace: float = 0.0
    """Seconds from then until it ends what still runs."""
    drains: bool = False
    """Responses are read to their end when the client has left."""
    comment_after: float | None = None
    """A silent stream gets a comment after so many seconds."""
    counts: bool = True
    """The token counter knows the models."""
    count_delay: float = 0.0

    @cached_property
    def end(self) -> float:
        return max(client.behaviour.arrives_at for client in self.clients)


def make_providers(rng: Random, schedule: Schedule, least: int = 1) -> None:
    count = rng.randint(least, MOST_PROVIDERS)
    schedule.providers = [_make_provider(rng, number, schedule.length) for number in range(count)]
    schedule.timeouts = _make_timeouts(rng)


def models_of(schedule: Schedule) -> list[str]:
    """``provider/model``."""
    return [f"{provider.name}/{model}" for provider in schedule.providers for model in MODELS]


def make_routes_of(rng: Random, schedule: Schedule) -> None:
    schedule.routes = make_routes(rng, models_of(schedule))
    schedule.breaker_rule = make_breaker_rule(rng)
    schedule.retry_share = rng.choice((0.0, 0.1, 0.1, 0.5))
    schedule.is_warm = rng.random() < 0.6


def add_clients(rng: Random, schedule: Schedule, count: int) -> None:
    dialects, models = DIALECTS, models_of(schedule)
    if schedule.cache is not None:
        dialects, models = rng.sample(DIALECTS, 2), models[:2]
    for number in range(count):
        client = _make_client(rng, number, schedule, models, rng.choice(dialects))
        client.behaviour.arrives_at = START + rng.random() * schedule.length
        schedule.clients.append(client)
    schedule.drains = rng.random() < 0.4
    schedule.comment_after = rng.choice((None, 1.0, 15.0))
    schedule.counts = rng.random() < 0.8
    schedule.count_delay = rng.choice((0.0, 0.01, 0.5))


def _make_provider(rng: Random, number: int, length: float) -> ProviderPlan:
    connect = rng.choice((0.0, 0.0, 0.02, 0.1))
    pace = Pace(connect, rng.uniform(0.05, 2.0), rng.choice((0.0, 0.02, 0.2)))
    plan = ProviderPlan(
        f"p{number}",
        rng.choice(KINDS),
        pace,
        texts=(1, rng.choice((1, 4, 12))),
        reports_usage=rng.choice((1.0, 1.0, 1.0, 0.5, 0.0)),
        keys=rng.choice(((), (), (), ("a", "b"), ("a", "b", "c"))),
    )
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        plan.episodes.append(_make_episode(rng, plan, length))
    return plan


def key_of(provider: str, name: str) -> str:
    """The secret of a key."""
    return f"key-{name}-of-{provider}"


def _make_episode(rng: Random, provider: ProviderPlan, length: float) -> Episode:
    kind = rng.choice(FAULT_NAMES)
    start = START + rng.uniform(-0.2, 0.8) * length
    key, model = None, None
    if kind in OF_KEYS and provider.keys and rng.random() < 0.7:
        key = key_of(provider.name, rng.choice(provider.keys))
    if rng.random() < 0.3:
        model = rng.choice(MODELS)
    return Episode(
        kind,
        start,
        start + rng.uniform(0.1, 1.0) * length,
        share=rng.choice((1.0, 1.0, 0.5, 0.1)),
        amount=rng.choice((0.2, 1.0, 4.0, 15.0, 60.0)),
        key=key,
        model=model,
    )


def _make_client(
    rng: Random,
    number: int,
    schedule: Schedule,
    models: Sequence[str],
    dialect: SimulatedDialect,
) -> ClientPlan:
    model = rng.choice(models)
    is_engine = dialect.name == "engine"  # its route names the provider
    if schedule.routes and not is_engine and rng.random() < 0.85:
        model = rng.choice(schedule.routes).name
    question = Question(
        model,
        number,
        is_stream=rng.random() < 0.6,
        is_engine=is_engine,
    )
    if is_engine or rng.random() < 0.2:
        question = question._replace(retries=rng.choice((0, 0, 1, 2, MAX_RETRIES)))
    if not is_engine and rng.random() < 0.3:
        question = _add_wishes(rng, question, schedule, models)
    if schedule.cache is not None:
        question = _make_cacheable(rng, question)
    leaves = rng.choice((0.01, 0.3, 1.5, 3.0, 10.0)) if rng.random() < 0.2 else None
    slow = rng.choice((0.1, 3.0, 50.0)) if rng.random() < 0.1 else None
    return ClientPlan(dialect, question, Behaviour(START, leaves, slow))


def _add_wishes(
    rng: Random, question: Question, schedule: Schedule, models: Sequence[str]
) -> Question:
    """What a client asks of the routing of its own request."""
    what, names = rng.randrange(4), [each.name for each in schedule.providers]
    if what == 0:
        return question._replace(timeout=rng.choice((0.5, 3.0, 20.0)))
    if what == 1:
        return question._replace(allows_fallbacks=False)
    if what == 2:
        return question._replace(models=tuple(rng.sample(models, min(2, len(models)))))
    provider = rng.choice(
        (
            {"order": rng.sample(names, min(2, len(names)))},
            {"only": [rng.choice(names)]},
            {"ignore": [rng.choice(names)]},
            {"order": [rng.choice(names)], "allow_fallbacks": False},
            {"sort": rng.choice(("price", "latency", "throughput"))},
            {"max_price": {"prompt": rng.choice((1, 2, 3)), "completion": 3}},
        )
    )
    return question._replace(provider=provider)


def _make_cacheable(rng: Random, question: Question) -> Question:
    control = rng.choice((*[None] * 6, b"no-store", b"no-cache", b"max-age=5"))
    return question._replace(
        prompt=rng.choice(("One", "One", "One", "Two")),
        api_key=rng.choice((TENANTS[0], *TENANTS)),
        temperature=rng.choice((0.0, 0.0, 0.0, 1.0)),
        headers=() if control is None else ((b"cache-control", control),),
    )


def make_cache(rng: Random) -> CachePlan:
    policy = CachePolicy(
        ttl_s=rng.choice((1.0, 30.0, 3600.0)),
        response_limit=rng.choice((500, 4 * 1024 * 1024)),
        replays_pace=rng.random() < 0.3,
        coalesce=rng.choice(("off", "deterministic", "all")),
    )
    return CachePlan(policy, rng.choice((3000, 1_000_000)), rng.choice((None, None, 0.0, 0.05)))


def _make_timeouts(rng: Random) -> dict[str, float]:
    return {
        "connect": rng.choice((1.0, 10.0)),
        "first_byte": rng.choice((5.0, 30.0, 300.0)),
        "idle": rng.choice((2.0, 10.0, 120.0)),
        "total": rng.choice((20.0, 1800.0)),
    }


def add_shocks(rng: Random, schedule: Schedule) -> None:
    length = schedule.length
    for _ in range(rng.choice((0, 0, 1, 3))):
        step = rng.choice((-86400.0, -3.0, 0.5, 3600.0))
        schedule.clock_steps.append((START + rng.random() * length, step))
    if rng.random() < 0.1:
        schedule.closes_at = START + rng.random() * length
        schedule.grace = rng.choice((0.0, 1.0, 10.0))
