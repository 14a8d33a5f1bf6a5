"""What one process does each second for its records, and what ``/health`` says of them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.ledger import shipper
from headway.ledger.shipper import ShipperStatus
from headway.ledger.spool import FileSpool
from headway.ledger.spool_reader import ShipperLock
from headway.pipeline.gateway import LedgerHealth
from headway.server import recording as recording_module
from headway.server.recording import Recording
from support.waiting import PATIENCE_S


class Gateway:
    """What of a gateway ``Recording`` sets."""

    is_refusing = False
    ledger_health = LedgerHealth


def new(directory: Path, **options: Any) -> Recording:
    defaults = {"refuses_on_failure": False, "syncs": False}
    return Recording(FileSpool(directory), None, **{**defaults, **options})


def write_status(directory: Path, **values: Any) -> None:
    directory.mkdir(exist_ok=True)
    status = {
        "pid": 1, "updated": time.time(), "problem": None, "failing_since": None, "stored": 1,
        "rejected": 0, "unstored_bytes": 7, "oldest": None, **values,
    }  # fmt: skip
    (directory / shipper.STATUS_NAME).write_bytes(msgspec.json.encode(ShipperStatus(**status)))


def test_health_says_whether_records_are_stored_and_no_reason(tmp_path: Path) -> None:
    unix = [time.time()]
    recording = new(tmp_path, unix_time=lambda: unix[0])
    assert recording.health() == LedgerHealth()
    write_status(tmp_path)
    lock = ShipperLock(str(tmp_path))
    assert lock.take()
    assert recording.health() == LedgerHealth(unstored_bytes=7)
    write_status(tmp_path, problem="no route to db.internal")
    assert recording.health() == LedgerHealth(store="failing", unstored_bytes=7)
    write_status(tmp_path)
    unix[0] += recording_module.STUCK_S + 1
    assert recording.health().store == "failing"  # it waits for the database
    lock.release()
    assert recording.health().store == "ok"  # there is nothing to store
    recording.spool.append(b"{}\n")
    assert recording.health().store == "not running"
    recording.spool.close()


def test_a_spool_that_cannot_be_written_shows(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recording = new(tmp_path / "file" / "spool")
    recording.spool.append(b"{}\n")
    health = recording.health()
    assert (health.spool, health.held, health.lost) == ("failing", 1, 0)
    assert not health.is_ok
    recording.spool.close()


@pytest.mark.parametrize("refuses", [True, False])
def test_requests_are_refused_while_no_record_can_be_written_if_so_configured(
    tmp_path: Path, refuses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "INTERVAL_S", 0.01)
    obstacle = tmp_path / "state"
    obstacle.write_text("")

    async def main() -> None:
        gateway = Gateway()
        recording = new(obstacle / "spool", refuses_on_failure=refuses)
        recording.start(gateway)  # type: ignore[arg-type]
        recording.spool.append(b"{}\n")
        assert gateway.is_refusing == refuses
        obstacle.unlink()
        while recording.spool.problem is not None:  # by itself, without a request
            await asyncio.sleep(0.01)
        assert not gateway.is_refusing
        await recording.close()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_what_was_written_is_forced_to_the_disk_each_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording_module, "INTERVAL_S", 0.01)
    synced: list[int] = []
    errors = [OSError(5, "Input/output error")] * 2

    def fdatasync(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)
        if errors:
            raise errors.pop()

    monkeypatch.setattr(os, "fdatasync", fdatasync)

    async def main() -> None:
        recording = new(tmp_path, syncs=True)
        recording.start(Gateway())  # type: ignore[arg-type]
        for count in (1, 2, 3):
            recording.spool.append(b"1\n")
            while len(synced) < count:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
        await recording.close()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    assert synced == [2, 4, 6]
    assert caplog.messages == ["records cannot be forced to the disk: Input/output error"]


def test_held_records_are_written_before_the_end_if_that_works_soon(tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.touch()
    recording = new(obstacle / "spool")
    recording.spool.append(b"held\n")
    assert recording.spool.held == 1

    async def main() -> None:
        closing = asyncio.create_task(recording.close())
        await asyncio.sleep(recording_module.RETRY_S)
        assert not closing.done()
        obstacle.unlink()
        await closing

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    assert recording.spool.lost == 0
    [file] = (obstacle / "spool").glob("*.jsonl")
    assert b"held\n" in file.read_bytes()


def test_records_that_cannot_be_written_do_not_keep_a_server_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "HELD_S", 0.2)
    (tmp_path / "file").touch()
    recording = new(tmp_path / "file" / "spool")
    recording.spool.append(b"held\n")
    asyncio.run(asyncio.wait_for(recording.close(), PATIENCE_S))
    assert recording.spool.lost == 1
