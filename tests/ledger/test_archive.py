"""The archive, read back with pyarrow's datasets and DuckDB."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headway.ledger.archive import LATE_S, Archived, ArchiveError, Archiver
from headway.ledger.archive_files import open_place, part_path, read_part
from headway.ledger.store import MAX_LIMIT, Filter, StoreFacts
from headway.record import LineItem, Record
from support.lazy_import import lazy_import
from support.s3_server import s3_server

dataset = lazy_import("pyarrow.dataset")

HOUR = 3600
BEGIN = 496_000 * HOUR + 0.0
"""2026-08-01 16:00 UTC."""


def a_record(number: int, timestamp: float, **fields: Any) -> Record:
    return Record(
        f"00000000-0000-4000-8000-{number:012d}", f"request-{number}", timestamp, timestamp - 1.5,
        "/v1/chat/completions", "openai_chat", "ok", **fields,
    )  # fmt: skip


class Records:
    """The part of a store that the archive asks."""

    def __init__(self, *records: Record, place: str = "/var/lib/h.db") -> None:
        self.records = list(records)
        self.place = place
        self.is_free = True
        self.reads = 0

    async def attempts(
        self, where: Filter, *, limit: int = MAX_LIMIT, cursor: str | None = None
    ) -> tuple[Sequence[Record], str | None]:
        self.reads += 1
        assert where.since is not None
        assert where.until is not None
        chosen = [each for each in self.records if where.since <= each.timestamp < where.until]
        start, limit = int(cursor or 0), min(limit, 100)
        end = start + limit
        return chosen[start:end], str(end) if end < len(chosen) else None

    async def records_by_hour(self, since: float | None) -> Mapping[int, int]:
        return Counter(
            int(each.timestamp // HOUR) for each in self.records if each.timestamp >= (since or 0)
        )

    @asynccontextmanager
    async def exclusively(self, task: str) -> AsyncIterator[bool]:
        yield self.is_free

    async def describe(self) -> StoreFacts:
        return StoreFacts("sqlite", self.place, 1, 0, 0, 0, 0, None, None)


def ids_in(path: Path) -> list[str]:
    table = dataset.dataset(path, format="parquet", partitioning="hive").to_table()
    return sorted(table.column("id").to_pylist())


def ids_of(records: Sequence[Record]) -> list[str]:
    return sorted(record.id for record in records)


def run(archiver: Archiver, now: float) -> Archived:
    return asyncio.run(archiver.run_due(now))


def test_an_hour_is_archived_once_it_is_over_for_the_margin(tmp_path: Path) -> None:
    store = Records(*(a_record(at, BEGIN + at) for at in range(250)), a_record(999, BEGIN + HOUR))
    archiver = Archiver(store, f"{tmp_path}/a", margin_s=600)
    assert run(archiver, BEGIN + HOUR + 599) == Archived()
    done = run(archiver, BEGIN + HOUR + 600)
    assert (done.files, done.records) == (1, 250)
    assert ids_in(tmp_path / "a") == ids_of(store.records[:250])
    (file,) = (tmp_path / "a").rglob("*.*")
    assert file.relative_to(tmp_path / "a").as_posix().startswith("date=2026-08-01/hour=16/part-")
    assert file.stat().st_size == done.bytes
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_nothing_is_archived_twice_by_this_process_or_by_the_next(tmp_path: Path) -> None:
    store = Records(*(a_record(at, BEGIN + at * 60) for at in range(120)))
    archiver = Archiver(store, str(tmp_path))
    assert run(archiver, BEGIN + 3 * HOUR).files == 2
    reads = store.reads
    assert run(archiver, BEGIN + 3 * HOUR) == Archived()
    assert run(Archiver(store, str(tmp_path)), BEGIN + 3 * HOUR) == Archived()
    assert store.reads == reads
    assert ids_in(tmp_path) == ids_of(store.records)


def test_records_that_are_late_get_another_part_of_their_hour(tmp_path: Path) -> None:
    store = Records(*(a_record(at, BEGIN + at) for at in range(5)))
    archiver = Archiver(store, str(tmp_path))
    run(archiver, BEGIN + 2 * HOUR)
    store.records += [a_record(at, BEGIN + 100 + at) for at in range(5, 8)]
    done = run(archiver, BEGIN + 3 * HOUR)
    assert (done.files, done.records) == (1, 3)
    assert ids_in(tmp_path) == ids_of(store.records)
    store.records.append(a_record(8, BEGIN + 300))
    assert run(Archiver(store, str(tmp_path)), BEGIN + 3 * HOUR).records == 1
    assert ids_in(tmp_path) == ids_of(store.records)


def test_an_old_hour_is_looked_at_when_a_process_begins(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN))
    archiver, now = Archiver(store, str(tmp_path)), BEGIN + LATE_S + 10 * HOUR
    assert run(archiver, now).records == 1
    store.records.append(a_record(2, BEGIN + 1))
    assert run(archiver, now) == Archived()
    assert run(Archiver(store, str(tmp_path)), now).records == 1


def test_two_databases_share_an_archive(tmp_path: Path) -> None:
    stores = [
        Records(*(a_record(at, BEGIN + at) for at in numbers), place=place)
        for place, numbers in (("/a.db", range(3)), ("/b.db", range(3, 6)))
    ]
    for store in stores:
        assert run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR).records == 3
    for store in stores:
        assert run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR) == Archived()
    assert ids_in(tmp_path) == ids_of([*stores[0].records, *stores[1].records])


def test_a_database_that_was_moved_does_not_archive_its_records_again(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN), a_record(2, BEGIN))
    run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR)
    store.place = "/moved.db"
    assert run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR) == Archived()


def test_a_gateway_leaves_the_archive_to_another_that_is_at_it(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN))
    store.is_free = False
    assert run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR) == Archived()
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_cannot_be_written_is_written_by_the_next_run(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN))
    archiver = Archiver(store, f"{tmp_path}/a")
    hour = tmp_path / "a" / Path(part_path(int(BEGIN // HOUR), "0", "0", 1)).parent
    hour.parent.mkdir(parents=True)
    hour.write_bytes(b"a file where the directory belongs")
    with pytest.raises(ArchiveError, match=r"cannot archive to .*hour=16"):
        run(archiver, BEGIN + 2 * HOUR)
    hour.unlink()
    assert run(archiver, BEGIN + 2 * HOUR).records == 1


def test_a_damaged_part_is_named_and_other_hours_are_archived(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN))
    run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR)
    (part,) = tmp_path.rglob("part-*")
    part.write_bytes(part.read_bytes()[:100])
    store.records += [a_record(2, BEGIN), a_record(3, BEGIN + HOUR)]
    archiver = Archiver(store, str(tmp_path))
    for _ in range(2):
        with pytest.raises(ArchiveError, match=f"{part.name} is damaged, remove or replace it"):
            run(archiver, BEGIN + 3 * HOUR)
    part.unlink()
    assert run(archiver, BEGIN + 3 * HOUR).records == 2
    assert ids_in(tmp_path) == ids_of(store.records)


def test_a_temporary_file_of_a_dead_process_is_removed_and_never_read(tmp_path: Path) -> None:
    store = Records(a_record(1, BEGIN))
    name = part_path(int(BEGIN // HOUR), "0", "0", 1)
    (tmp_path / name).parent.mkdir(parents=True)
    stale, fresh = (tmp_path / name).with_name(".part-1.tmp"), tmp_path / f"{name}.tmp"
    fresh = fresh.with_name(f".{fresh.name}")
    stale.write_bytes(b"PAR1")
    fresh.write_bytes(b"PAR1")
    os.utime(stale, (time.time() - 7200,) * 2)
    run(Archiver(store, str(tmp_path)), BEGIN + 2 * HOUR)
    assert (stale.exists(), fresh.exists()) == (False, True)
    assert ids_in(tmp_path) == ids_of(store.records)


def test_duckdb_reads_the_archive_as_it_is(tmp_path: Path) -> None:
    items = (LineItem("input", "1000", "0.00000015"), LineItem("output", "3", "0.0000006"))
    store = Records(
        *(
            a_record(at, BEGIN + at * HOUR, model="m", cost_usd="0.0001518", line_items=items)
            for at in range(30)
        )
    )
    assert run(Archiver(store, str(tmp_path)), BEGIN + 31 * HOUR).files == 30
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select date::text, count(*), min(hour)::int, sum(cost_usd)::text,"
            " sum(list_sum(list_transform(line_items, lambda item: item.amount_usd)))::text"
            " from read_parquet(?, hive_partitioning = true) group by 1 order by 1",
            [f"{tmp_path}/**/*.parquet"],
        ).fetchall()
    assert rows == [
        ("2026-08-01", 8, 16, "0.001214400000000000", "0.001214400000000000"),
        ("2026-08-02", 22, 0, "0.003339600000000000", "0.003339600000000000"),
    ]


def test_a_bucket_is_filled_like_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Records(*(a_record(at, BEGIN + at) for at in range(5)))
    with s3_server(monkeypatch) as bucket:
        archiver = Archiver(store, "s3://logs/headway/")
        assert run(archiver, BEGIN + 2 * HOUR).records == 5
        store.records.append(a_record(5, BEGIN + 300))
        assert run(archiver, BEGIN + 2 * HOUR).records == 1
        assert run(Archiver(store, "s3://logs/headway"), BEGIN + 2 * HOUR) == Archived()
        place = open_place("s3://logs/headway")
        parts = place.parts(int(BEGIN // HOUR))
        assert [part.rows for part in parts] in ([1, 5], [5, 1])
        assert sorted(i for part in parts for i in place.ids(part)) == ids_of(store.records)
        assert all(
            name.startswith("logs/headway/date=2026-08-01/hour=16") for name in bucket.objects
        )


def test_a_bucket_that_refuses_is_a_clear_error_and_gets_no_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Records(a_record(1, BEGIN))
    with s3_server(monkeypatch) as bucket:
        archiver = Archiver(store, "s3://logs/headway")
        bucket.refuses_writes = True
        with pytest.raises(ArchiveError, match="cannot archive to s3://logs/headway") as caught:
            run(archiver, BEGIN + 2 * HOUR)
        assert "not-a-secret" not in str(caught.value)
        assert bucket.objects == {}
        bucket.refuses_writes = False
        assert run(archiver, BEGIN + 2 * HOUR).records == 1


def test_only_the_names_of_parts_are_parts() -> None:
    path = part_path(496_000, "0a1b", "ffff", 250)
    part = read_part(f"somewhere/{path}")
    assert part is not None
    assert (part.path, part.hour, part.source, part.rows) == (path, 496_000, "0a1b", 250)
    for name in ("part-1.parquet", f".{path}", path.replace("part-", ".part-"), f"{path}.tmp"):
        assert read_part(name) is None or name == f".{path}"
