"""Pages of records that no step back in time finds: each way to them is taken in turn."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from bench.ledger_records import generate_records
from tests.support.ledger_oracle import filters, find_attempts, find_logs, read_all, sum_usage
from tests.support.ledger_stores import SyncStore, opened, round_times

from headway.ledger.store import Filter
from headway.ledger.stores.sqlite import SqliteStore, paging
from headway.record import Record

RECORDS = [round_times(record) for record in generate_records(900, 3, 3000.0)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SyncStore]:
    with opened(SqliteStore(f"{tmp_path}/ledger.db")) as store:
        store.add(RECORDS)
        yield store


@pytest.mark.parametrize(("walked", "few"), [(20, 10**6), (20, 10), (20, 0), (300, 40)])
def test_every_way_to_a_page_finds_the_same(
    store: SyncStore, monkeypatch: pytest.MonkeyPatch, walked: int, few: int
) -> None:
    monkeypatch.setattr(paging, "WALKED", walked)
    monkeypatch.setattr(paging, "FEW", few)
    for where in filters(RECORDS):
        found = [(row.last.id, row.cost_usd) for row in read_all(store.logs, where, 60)]
        assert found == find_logs(RECORDS, where), where


def test_rare_sessions_are_found_by_an_index_and_others_by_their_ends(
    store: SyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Filter(users=("user-7",))
    by_index = read_all(store.sessions, where, 2)
    monkeypatch.setattr("headway.ledger.stores.sqlite.reading.FEW", 0)
    by_end = read_all(store.sessions, where, 2)
    assert by_index == by_end
    assert {row.id for row in by_end} == sessions_of(find_attempts(RECORDS, where))


def sessions_of(records: list[Record]) -> set[str]:
    return {record.session_id for record in records if record.session_id}


def test_usage_of_many_records_does_without_an_index(
    store: SyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.ledger.stores.sqlite.usage.INDEXED", 3)
    monkeypatch.setattr("headway.ledger.stores.sqlite.usage.AT_ONCE", 100)
    where = Filter(min_cost_usd=Decimal("0.001"), users=("user-0", "user-1"))
    expected = sum_usage(RECORDS, where, ("model",))
    found = {row.group["model"]: row for row in store.usage(where, ["model"])}
    assert set(found) == {model for (model,) in expected}
    for (model,), sums in expected.items():
        assert found[model].cost_usd == sums["cost_usd"]
        assert found[model].histograms["latency_s"].counts == sums["histograms"]["latency_s"].counts
