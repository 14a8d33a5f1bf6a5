"""Random schedules, each from a seed: providers and their faults, models, clients, and shocks.

A schedule is values only; ``world.play`` runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from simulation.answers import WIRE_FORMATS
from simulation.clients import Behaviour
from simulation.dialects import DIALECTS, Question, SimulatedDialect
from simulation.faults import FAULTS, Episode, Pace

START = 10_000.0
"""The monotonic clock when a schedule begins."""
EPOCH = 1_800_000_000.0
"""Unix time then."""
MODELS = ("large", "small")
KINDS = tuple(WIRE_FORMATS)
FAULT_NAMES = tuple(FAULTS)
MAX_RETRIES = 4


@dataclass
class ProviderPlan:
    """A simulated provider, before it has any state."""

    name: str
    kind: str
    pace: Pace
    texts: tuple[int, int]
    reports_usage: float
    episodes: list[Episode]


@dataclass
class ClientPlan:
    dialect: SimulatedDialect
    question: Question
    behaviour: Behaviour


@dataclass
class Schedule:
    """Everything that is decided before a run. Times are those of the monotonic clock."""

    seed: int
    providers: list[ProviderPlan]
    clients: list[ClientPlan]
    timeouts: dict[str, float]
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

    @property
    def end(self) -> float:
        return max(client.behaviour.arrives_at for client in self.clients)


def make_schedule(seed: int) -> Schedule:
    rng = Random(seed)
    count = _draw_count(rng)
    length = count * rng.choice((0.05, 0.5, 2.0, 8.0))
    providers = [_make_provider(rng, number, length) for number in range(rng.randint(1, 3))]
    models = [f"{provider.name}/{model}" for provider in providers for model in MODELS]
    clients = [
        _make_client(rng, number, rng.choice(models), START + rng.random() * length)
        for number in range(count)
    ]
    schedule = Schedule(seed, providers, clients, _make_timeouts(rng))
    _add_shocks(rng, schedule, length)
    return schedule


def _draw_count(rng: Random) -> int:
    """Clients of a schedule: mostly few, at times many."""
    draw = rng.random()
    if draw < 0.7:
        return rng.randint(2, 10)
    return rng.randint(10, 30) if draw < 0.96 else rng.randint(60, 120)


def _make_provider(rng: Random, number: int, length: float) -> ProviderPlan:
    connect = rng.choice((0.0, 0.0, 0.02, 0.1))
    pace = Pace(connect, rng.uniform(0.05, 2.0), rng.choice((0.0, 0.02, 0.2)))
    episodes = [_make_episode(rng, length) for _ in range(rng.choice((0, 0, 1, 1, 2, 4)))]
    reports = rng.choice((1.0, 1.0, 1.0, 0.5, 0.0))
    most = rng.choice((1, 4, 12))
    return ProviderPlan(f"p{number}", rng.choice(KINDS), pace, (1, most), reports, episodes)


def _make_episode(rng: Random, length: float) -> Episode:
    kind = rng.choice(FAULT_NAMES)
    start = START + rng.uniform(-0.2, 0.8) * length
    share = rng.choice((1.0, 1.0, 0.5, 0.1))
    amount = rng.choice((0.2, 1.0, 4.0, 15.0, 60.0))
    return Episode(kind, start, start + rng.uniform(0.1, 1.0) * length, share, amount)


def _make_client(rng: Random, number: int, model: str, arrives_at: float) -> ClientPlan:
    dialect = rng.choice(DIALECTS)
    retries = rng.choice((0, 0, 1, 2, MAX_RETRIES)) if dialect.name == "engine" else 0
    question = Question(model, number, rng.random() < 0.6, retries)
    leaves = rng.choice((0.01, 0.3, 1.5, 3.0, 10.0)) if rng.random() < 0.2 else None
    slow = rng.choice((0.1, 3.0, 50.0)) if rng.random() < 0.1 else None
    return ClientPlan(dialect, question, Behaviour(arrives_at, leaves, slow))


def _make_timeouts(rng: Random) -> dict[str, float]:
    return {
        "connect": rng.choice((1.0, 10.0)),
        "first_byte": rng.choice((5.0, 30.0, 300.0)),
        "idle": rng.choice((2.0, 10.0, 120.0)),
        "total": rng.choice((20.0, 1800.0)),
    }


def _add_shocks(rng: Random, schedule: Schedule, length: float) -> None:
    for _ in range(rng.choice((0, 0, 1, 3))):
        step = rng.choice((-86400.0, -3.0, 0.5, 3600.0))
        schedule.clock_steps.append((START + rng.random() * length, step))
    if rng.random() < 0.1:
        schedule.closes_at = START + rng.random() * length
        schedule.grace = rng.choice((0.0, 1.0, 10.0))
    schedule.drains = rng.random() < 0.4
    schedule.comment_after = rng.choice((None, 1.0, 15.0))
    schedule.counts = rng.random() < 0.8
    schedule.count_delay = rng.choice((0.0, 0.01, 0.5))
