"""What the archive asks of a store, and what several processes share."""

from __future__ import annotations

from pathlib import Path

from tests.support.ledger_stores import NOON, SyncStore, make_attempts, make_record

from headway.ledger.archive import Archiver
from support.lazy_import import lazy_import

dataset = lazy_import("pyarrow.dataset")


def test_records_are_counted_by_the_hour_in_which_they_ended(store: SyncStore) -> None:
    hour = int(NOON // 3600)
    assert store.records_by_hour(None) == {}
    store.add([make_record(1), make_record(3599), make_record(3600), make_record(1)])
    store.add([make_record(1), *make_attempts(7300, "0.1", "0.2")])
    assert store.records_by_hour(None) == {hour: 2, hour + 1: 1, hour + 2: 2}
    assert store.records_by_hour(NOON + 7250) == {hour + 2: 2}


def test_refused_and_failed_attempts_are_counted_by_hour_as_well(store: SyncStore) -> None:
    store.add([make_record(1, attempt=0, outcome="refused"), make_record(2, outcome="error")])
    assert store.records_by_hour(None) == {int(NOON // 3600): 2}


def test_the_archive_has_every_attempt_once(store: SyncStore, tmp_path: Path) -> None:
    records = [*make_attempts(5, "0.1", "0.2"), *map(make_record, range(6, 1204))]
    store.add(records[:700])
    archiver = Archiver(store.store, f"{tmp_path}/archive")
    run = SyncStore(archiver, store._loop).run_due  # type: ignore[arg-type]
    assert run(NOON + 4200).records == 700
    store.add(records)
    assert run(NOON + 4200).records == len(records) - 700
    assert run(NOON + 4200).records == 0
    table = dataset.dataset(f"{tmp_path}/archive", partitioning="hive").to_table()
    assert sorted(table.column("id").to_pylist()) == sorted(record.id for record in records)
