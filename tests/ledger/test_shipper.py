"""What the shipper stores, deletes and reports, whatever the database does."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from headway.ledger import shipper as shipper_module
from headway.ledger.shipper import Shipper, read_status, ship_once
from headway.ledger.spool import FileSpool
from headway.ledger.spool_reader import ShipperLock
from headway.ledger.store import Store, StoreError
from headway.record import Feedback, Record, encode
from support.store_fakes import ListStore


def record(number: int) -> Record:
    return Record(f"id-{number}", "r", 2.0, 1.0, "/route", "engine", "ok")


def lines(*numbers: int) -> bytes:
    return b"".join(encode(record(number)) for number in numbers)


def files(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(directory.glob("*-*.jsonl"))]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> ListStore:
    return ListStore()


def ship(directory: Path, store: ListStore) -> int | None:
    return asyncio.run(ship_once(str(directory), store))


def test_lines_of_all_files_are_stored_once_and_complete_files_deleted(
    tmp_path: Path, store: ListStore
) -> None:
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1, 2))
    spool = FileSpool(tmp_path)
    spool.append(lines(3))
    assert ship(tmp_path, store) == 3
    assert files(tmp_path) == [lines(3)]
    assert list(store.offsets) == [Path(spool.path or "").name]
    spool.append(lines(4))
    spool.append(encode(Feedback(id="f", call_id="id-1", timestamp=3.0)))
    assert ship(tmp_path, store) == 1
    spool.close()
    assert ship(tmp_path, store) == 0
    assert files(tmp_path) == []
    assert store.ids == ["id-1", "id-2", "id-3", "id-4"]
    assert len(store.entries) == 5
    assert store.offsets == {}


def test_nothing_is_done_where_another_process_ships(tmp_path: Path, store: ListStore) -> None:
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1))
    lock = ShipperLock(str(tmp_path))
    assert lock.take()
    assert ship(tmp_path, store) is None
    lock.release()
    assert ship(tmp_path, store) == 1
    assert ship(tmp_path / "missing", store) == 0
    assert not (tmp_path / "missing").exists()


def test_large_spools_are_stored_in_several_transactions(
    tmp_path: Path, store: ListStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper_module, "BATCH_BYTES", 2 * len(lines(1)))
    for number in range(5):
        (tmp_path / f"{number}-1-a.jsonl").write_bytes(lines(number, number + 10))
    assert ship(tmp_path, store) == 10
    assert len(set(store.ids)) == 10


def test_a_file_of_an_earlier_version_is_stored_and_deleted_when_it_rests(
    tmp_path: Path, store: ListStore
) -> None:
    old, spool = tmp_path / "h.db.spool.jsonl", tmp_path / "spool"
    old.write_bytes(lines(1))

    async def once() -> int | None:
        return await ship_once(str(spool), store, old_file=str(old))

    assert asyncio.run(once()) == 1
    assert old.exists()  # its writer may still have it open
    with old.open("ab") as file:
        file.write(lines(2))
    os.utime(old, (0, 0))
    assert asyncio.run(once()) == 1
    assert not old.exists()
    old.write_bytes(lines(3))
    assert asyncio.run(once()) == 1
    assert store.ids == ["id-1", "id-2", "id-3"]


def test_a_torn_last_line_waits_for_its_writer_and_is_put_aside_when_that_is_gone(
    tmp_path: Path, store: ListStore
) -> None:
    spool = FileSpool(tmp_path)
    spool.append(lines(1))
    path = Path(spool.path or "")
    with path.open("ab") as file:
        file.write(b'{"id": "tor')
    assert ship(tmp_path, store) == 1
    assert path.exists()
    spool.close()
    assert ship(tmp_path, store) == 0
    assert not path.exists()
    assert (tmp_path / "rejected.txt").read_bytes() == b'{"id": "tor\n'


def test_lines_that_cannot_be_stored_are_put_aside_and_the_rest_is_stored(
    tmp_path: Path, store: ListStore, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1) + b"{}\n" + lines(2, 3))
    store.refused = {"id-2"}
    assert ship(tmp_path, store) == 2
    assert store.ids == ["id-1", "id-3"]
    assert (tmp_path / "rejected.txt").read_bytes() == b"{}\n" + lines(2)
    assert files(tmp_path) == []
    assert f"2 lines of the spool are no records; they are in {tmp_path}/rejected.txt" in (
        caplog.messages
    )


def test_a_line_that_a_database_refuses_is_found_in_few_transactions(
    tmp_path: Path, store: ListStore
) -> None:
    """Among many that are stored, and each of them once."""
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(*range(1000)))
    store.refused = {"id-5", "id-700"}
    assert ship(tmp_path, store) == 998
    assert set(store.ids) == {f"id-{n}" for n in range(1000)} - store.refused
    assert len(store.ids) == 998
    assert store.transactions < 60
    assert (tmp_path / "rejected.txt").read_bytes() == lines(5, 700)


def test_lists_in_too_many_lists_are_put_aside(tmp_path: Path, store: ListStore) -> None:
    nested = b'{"entry":"content","call_id":"c","messages":' + b"[" * 10**5 + b"\n"
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1) + nested + lines(2))
    assert ship(tmp_path, store) == 2
    assert (tmp_path / "rejected.txt").read_bytes() == nested


def test_a_transaction_that_was_committed_before_it_failed_is_not_stored_twice(
    tmp_path: Path, store: ListStore
) -> None:
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1))
    store.errors, store.commits_before_errors = [StoreError("the connection was lost")], True
    with pytest.raises(StoreError):
        ship(tmp_path, store)
    assert ship(tmp_path, store) == 0
    assert store.ids == ["id-1"]
    assert files(tmp_path) == []


def test_a_database_that_is_replaced_by_an_empty_one_gets_what_is_still_there(
    tmp_path: Path, store: ListStore
) -> None:
    spool = FileSpool(tmp_path)
    spool.append(lines(1))
    assert ship(tmp_path, store) == 1
    other = ListStore()
    assert ship(tmp_path, other) == 1
    spool.close()


# --- The loop -------------------------------------------------------------------------------------


def run(shipper: Shipper, stop_after: float = 0.0) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(stop_after, stop.set)
        await shipper.run(stop)

    asyncio.run(main())


def test_a_failing_database_is_tried_until_it_works_and_said_so_once(
    tmp_path: Path,
    store: ListStore,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipper_module, "FIRST_DELAY_S", 0.01)
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1))
    store.errors = [StoreError("connection refused")] * 4
    shipper = Shipper(str(tmp_path), new_store=lambda: store)
    with caplog.at_level(logging.WARNING, "headway.ledger"):
        run(shipper)
    assert store.ids == ["id-1"]
    assert files(tmp_path) == []
    assert (store.opened, shipper.problem) == (1, None)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
    assert "connection refused" in caplog.messages[0]
    status = read_status(str(tmp_path))
    assert status is not None
    assert (status.stored, status.problem, status.unstored_bytes) == (1, None, 0)


def test_a_connection_that_fails_is_replaced(tmp_path: Path, store: ListStore) -> None:
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1))
    shipper = Shipper(str(tmp_path), new_store=lambda: store)
    store.errors = [StoreError("down"), StoreError("still down")]
    run(shipper)
    assert (store.opened, store.closed) == (1, 3)
    assert store.ids == ["id-1"]


def test_the_status_says_why_nothing_is_stored_and_what_waits(
    tmp_path: Path, store: ListStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper_module, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(shipper_module, "FAREWELL_S", 0.03)
    (tmp_path / "7000-1-a.jsonl").write_bytes(lines(1))
    store.errors = [StoreError("down")] * 1000
    run(Shipper(str(tmp_path), new_store=lambda: store))
    status = read_status(str(tmp_path))
    assert status is not None
    assert (status.problem, status.unstored_bytes) == ("down", len(lines(1)))
    assert (status.oldest, status.pid) == (7.0, os.getpid())
    assert status.failing_since is not None


def test_a_status_of_another_shape_says_nothing(tmp_path: Path) -> None:
    assert read_status(str(tmp_path)) is None
    (tmp_path / "status.json").write_text("{}")
    assert read_status(str(tmp_path)) is None


def test_what_is_written_before_the_end_is_stored(tmp_path: Path, store: ListStore) -> None:
    spool = FileSpool(tmp_path)

    async def main() -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(Shipper(str(tmp_path), store).run(stop))
        await asyncio.sleep(0.02)
        spool.append(lines(1))
        spool.close()
        stop.set()
        await running

    asyncio.run(main())
    assert store.ids == ["id-1"]
    assert files(tmp_path) == []


def test_periodic_tasks_run_in_order_and_a_failure_stops_those_behind_it(
    tmp_path: Path, store: ListStore, caplog: pytest.LogCaptureFixture
) -> None:
    clock, done, broken = Clock(), [], [True]

    async def archive(store: Store, now: float) -> None:
        done.append("archive")
        if broken:
            raise OSError("no space left")

    async def prune(store: Store, now: float) -> None:
        done.append("prune")

    shipper = Shipper(str(tmp_path), store, tasks=[archive, prune], clock=clock)
    run(shipper)
    assert done == []  # the first requests come first
    for _ in range(2):
        clock.now += shipper_module.TASKS_S
        run(shipper)
    assert done == ["archive", "archive"]
    assert caplog.messages == ["no space left; it is tried again every 600 s"]
    broken.clear()
    clock.now += shipper_module.TASKS_S
    run(shipper)
    assert done[2:] == ["archive", "prune"]


def test_the_log_says_each_minute_how_much_was_stored(
    tmp_path: Path, store: ListStore, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    shipper = Shipper(str(tmp_path), store, clock=clock)
    (tmp_path / "1-1-a.jsonl").write_bytes(lines(1, 2))
    with caplog.at_level(logging.INFO, "headway.ledger"):
        for _ in range(3):
            run(shipper)
            clock.now += 60
    assert caplog.messages == ["2 records were stored in 60 s"]
