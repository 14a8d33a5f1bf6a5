"""Pages of records, which are found by tokens of what a filter asks for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.ledger_oracle import Oracle, filters, read_all, sample_oracle, sample_records
from tests.support.ledger_stores import SyncStore, make_attempts, opened

from headway.ledger.store import Filter
from headway.ledger.stores.sqlite import SqliteStore, facets
from headway.record import Record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SyncStore]:
    with opened(SqliteStore(f"{tmp_path}/ledger.db")) as store:
        store.add(sample_records())
        yield store


def check_pages(store: SyncStore) -> None:
    for where in filters(sample_records()):
        found = [(row.last.id, row.cost_usd) for row in read_all(store.logs, where, 60)]
        assert found == sample_oracle().find_logs(where), where
        attempts = [record.id for record in read_all(store.attempts, where, 60)]
        assert attempts == [record.id for record in sample_oracle().find_attempts(where)], where


def test_the_records_with_the_tokens_of_a_filter_are_those_that_it_means(store: SyncStore) -> None:
    check_pages(store)


def test_values_with_the_same_token_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "crc32", lambda data: 7)
    with opened(SqliteStore(f"{tmp_path}/ledger.db")) as store:
        store.add(sample_records())
        check_pages(store)


def test_tokens_are_those_of_the_records_after_any_changes(store: SyncStore) -> None:
    """An attempt that comes late changes the cost of its call; retention deletes."""
    late = make_attempts(10, "0.5", "70", "9000")
    for attempt in reversed(late):
        store.add([attempt])
    for limit, number in ((9000, 1), (9071, 0)):
        found = store.logs(Filter(min_cost_usd=Decimal(limit), models=("gpt-4.1",))).rows
        assert len(found) == number
    assert store.check() == []
    assert store.prune(sample_records()[500].timestamp, None).records > 400
    assert store.check() == []
    where = Filter(users=("user-0", "user-1"))
    left = [
        record for record in sample_records() if record.timestamp >= sample_records()[500].timestamp
    ]
    found = [row.last.id for row in read_all(store.logs, where, 60)]
    assert found == [id_ for id_, _ in Oracle(left).find_logs(where)]


def test_every_limit_is_met_by_few_steps() -> None:
    for low, high in ((None, 5e6), (60e6, None), (2e6, 2.0001e6), (0, 0), (None, None), (-5, 1)):
        steps = facets.steps_between("latency", low, high).split(" OR ")
        assert len(steps) == len(set(steps)) < 140
        assert all(step[0] in "ab" and step[1:].isdigit() for step in steps)


def test_sessions_of_few_records_are_found_by_these_and_others_by_their_ends(
    store: SyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Filter(users=("user-7",))
    by_records = read_all(store.sessions, where, 2)
    monkeypatch.setattr("headway.ledger.stores.sqlite.reading.FEW", 0)
    by_end = read_all(store.sessions, where, 2)
    assert by_records == by_end
    assert {row.id for row in by_end} == sessions_of(sample_oracle().find_attempts(where))


def sessions_of(records: list[Record]) -> set[str]:
    return {record.session_id for record in records if record.session_id}
