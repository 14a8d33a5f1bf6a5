"""Some hundred schedules, and whether they are the same each time. ``make simulate`` plays more."""

from __future__ import annotations

import pytest

from simulation.faults import FAULTS
from simulation.run import Summary, run_seed, run_seeds

FIRST, COUNT = 1_000_000, 300
"""Other seeds than those of ``make simulate``."""


@pytest.fixture(scope="module")
def summary() -> Summary:
    return run_seeds(range(FIRST, FIRST + COUNT))


def test_every_invariant_holds_in_random_schedules(summary: Summary) -> None:
    assert summary.failures == {}, "make simulate ARGS='--seed N' tells what happened"
    assert summary.schedules == COUNT


def test_a_schedule_is_the_same_each_time() -> None:
    for seed in range(FIRST, FIRST + 60):
        first, second = run_seed(seed)[0], run_seed(seed)[0]

        assert list(first.story.lines()) == list(second.story.lines())
        assert first.lines == second.lines


def test_the_schedules_have_every_fault_and_every_end(summary: Summary) -> None:
    missing = [name for name in EXPECTED if not summary.counts[name]]
    assert missing == []


EXPECTED = [
    "clients that ended",
    "clients that left",
    "fault: none",
    *(f"fault: {name}" for name in FAULTS),
]
