"""Play many schedules and check each. One that fails tells its story, and ``--seed`` replays it."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simulation.checks import check
from simulation.themes import Theme, make_schedule
from simulation.world import World, play

MOST_FAILURES = 5
"""Failing seeds of one process after which it gives up."""
BLOCK = 100
"""Schedules between two collections of garbage."""


@dataclass
class Summary:
    """What many schedules came to."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[int, list[str]] = field(default_factory=dict)
    """Seed -> what is wrong."""

    def add(self, other: Summary) -> None:
        self.schedules += other.schedules
        self.counts += other.counts
        self.failures |= other.failures


def run_seed(seed: int, theme: Theme | None = None) -> tuple[World, list[str]]:
    """An exception of a check is a failure like another."""
    world = play(make_schedule(seed, theme))
    try:
        return world, check(world)
    except Exception as error:
        return world, [f"the check failed: {error!r}"]


def run_seeds(seeds: Iterable[int]) -> Summary:
    """Until ``MOST_FAILURES`` have failed."""
    summary = Summary()
    gc.disable()  # what a schedule leaves is collected for many of them at once
    try:
        for number, seed in enumerate(seeds, start=1):
            world, problems = run_seed(seed)
            summary.schedules += 1
            _count(summary.counts, world)
            if problems:
                summary.failures[seed] = problems
                if len(summary.failures) >= MOST_FAILURES:
                    break
            world.forget()
            if number % BLOCK == 0:
                gc.collect()
    finally:
        gc.enable()
    return summary


def run_in_processes(first: int, count: int, processes: int) -> Summary:
    """The seeds from ``first`` on, shared out so that none gets all the long ones."""
    shares = [range(first + at, first + count, processes) for at in range(processes)]
    if processes == 1:
        return run_seeds(shares[0])
    # What exists before the first schedule need not be searched for garbage.
    with multiprocessing.get_context("spawn").Pool(processes, gc.freeze) as pool:
        total = Summary()
        for summary in pool.imap_unordered(run_seeds, shares):
            total.add(summary)
        return total


def _count(counts: Counter[str], world: World) -> None:
    counts["clients"] += len(world.clients)
    counts["requests to providers"] += len(world.transport.requests)
    counts["records"] += len(world.lines)
    counts["events"] += len(world.story.events)
    for client in world.clients:
        counts[f"clients that {client.state}"] += 1
    for request in world.transport.requests:
        counts[f"fault: {request.plan.fault or 'none'}"] += 1


def describe(summary: Summary, seconds: float) -> Iterator[str]:
    counts = summary.counts
    yield (
        f"{summary.schedules} schedules in {seconds:.1f} s: {counts['clients']} clients,"
        f" {counts['requests to providers']} requests to providers, {counts['records']} records"
    )
    for name in sorted(name for name in counts if name.startswith(("clients that", "fault"))):
        yield f"  {name:<32} {counts[name]:>9}"


def tell(seed: int) -> Iterator[str]:
    """The story of a seed."""
    world, problems = run_seed(seed)
    schedule = world.schedule
    yield f"seed {seed}, {schedule.theme}: {len(world.clients)} clients"
    for provider in schedule.providers:
        yield f"  {provider.name} ({provider.kind}), {provider.pace}"
        yield from (f"    {episode}" for episode in provider.episodes)
    yield from (f"  {route}" for route in schedule.routes)
    yield from world.story.lines()
    for problem in problems:
        yield f"WRONG: {problem}"
    if not problems:
        yield "Nothing is wrong."


def measure(first: int, count: int, processes: int) -> tuple[Summary, float]:
    """The summary, and the seconds that it took."""
    began = time.perf_counter()
    summary = run_in_processes(first, count, processes)
    return summary, time.perf_counter() - began
