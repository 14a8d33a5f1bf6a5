"""Sums of days that are over, and of those that are not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from bench.ledger_records import START, generate_records
from msgspec.structs import replace
from tests.support.ledger_oracle import Oracle
from tests.support.ledger_stores import (
    SyncStore,
    make_attempts,
    make_record,
    opened,
    round_times,
)

from headway.ledger.store import Filter
from headway.ledger.stores.sqlite import SqliteStore
from headway.ledger.stores.sqlite.connections import MEMORY
from headway.ledger.stores.sqlite.sums import MAX_SEGMENTS
from headway.record import Record

DAY_S = 86400.0
QUESTIONS = (
    (Filter(), ("model",)),
    (Filter(), ("user",)),
    (Filter(since=START + 3.3 * DAY_S), ("tag",)),
    (Filter(until=START + 36.1 * DAY_S), ("key", "month")),
    (Filter(since=START + 2.6 * DAY_S, until=START + 38 * DAY_S), ("day",)),
)


@cache
def all_records() -> list[Record]:
    return [round_times(record) for record in generate_records(600, 4, 40 * DAY_S)]


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[SyncStore]:
    with opened(SqliteStore(MEMORY, clock)) as store:
        yield store


def ask(store: SyncStore, sql: str) -> Any:
    return store.store._connections._written.execute(sql).get  # type: ignore[attr-defined]


def check_sums(store: SyncStore, records: list[Record]) -> None:
    oracle = Oracle(records)
    for where, by in QUESTIONS:
        (expected,) = oracle.sum_usage(where, by)
        found = {tuple(usage.group.values()): usage for usage in store.usage(where, by)}
        assert set(found) == set(expected)
        for group, sums in expected.items():
            assert found[group].cost_usd == sums["cost_usd"], (where, group)
            for name, histogram in sums["histograms"].items():
                assert found[group].histograms[name].counts == histogram.counts, (where, name)
    (expected,) = oracle.sum_usage(Filter(), ("user", "model"))
    found = {
        tuple(usage.group.values()): usage.cost_usd
        for usage in store.usage(Filter(), ("user", "model"), metrics=())
    }
    assert found == {group: sums["cost_usd"] for group, sums in expected.items()}
    assert store.check() == []


def test_sums_are_the_same_while_days_end_one_after_the_other(
    store: SyncStore, clock: Clock
) -> None:
    rolled = []
    for at in range(0, len(all_records()), 50):
        clock.now = all_records()[min(at + 49, len(all_records()) - 1)].timestamp
        store.add(all_records()[at : at + 50])
        rolled.append(ask(store, "SELECT day FROM rolled"))
        check_sums(store, all_records()[: at + 50])
    assert rolled == sorted(set(rolled))
    last_day = int(all_records()[-1].timestamp // DAY_S)
    assert rolled[-1] == last_day - 1
    assert ask(store, f"SELECT count(*) FROM sums WHERE cube = 2 AND start >= {rolled[-1]}") == 0
    over = f"FROM sums WHERE cube = 6 AND start < {rolled[-1]}"
    assert ask(store, f"SELECT count(*) = count(DISTINCT start) {over}") == 1


def test_what_comes_late_is_in_the_sums_of_all_times(store: SyncStore, clock: Clock) -> None:
    clock.now = all_records()[-1].timestamp
    late = random.Random(2).sample(range(len(all_records())), 90)
    store.add([record for at, record in enumerate(all_records()) if at not in late])
    for at in late:
        store.add([all_records()[at]])
    attempts = make_attempts(60, "0.5", "0.25", user="ann", tags=("a", "b"))
    for attempt in reversed(attempts):
        store.add([attempt])
    check_sums(store, [*all_records(), *attempts])


def test_small_batches_leave_few_segments(store: SyncStore, clock: Clock) -> None:
    """And names of any number are found."""
    records = [record for record in all_records() if record.timestamp < START + 20 * DAY_S]
    day = [
        replace(record, timestamp=START + at, started=START + at - 1, user=f"user {at}")
        for at, record in enumerate(records)
    ]
    store.add([make_record(-at, user=f"name {at}") for at in range(1, 1100)])
    for record in day:
        store.add([record])
    segments = "SELECT max(n) FROM (SELECT count(*) AS n FROM sums GROUP BY cube, start, names)"
    assert ask(store, segments) < 3 * MAX_SEGMENTS
    assert ask(store, "SELECT count(DISTINCT names) FROM sums WHERE cube = 6") == 2
    for at in (0, len(day) - 1):
        (usage,) = store.usage(Filter(users=(f"user {at}",)), ("user",))
        assert (usage.attempts, usage.group["user"]) == (1, f"user {at}")
    assert store.check() == []


def test_a_clock_that_is_ahead_makes_no_day_be_over(store: SyncStore, clock: Clock) -> None:
    early = [record for record in all_records() if record.timestamp < START + DAY_S]
    store.add(early)
    store.add([all_records()[-1]])
    assert ask(store, "SELECT day FROM rolled") == int(START // DAY_S)
    check_sums(store, [*early, all_records()[-1]])
