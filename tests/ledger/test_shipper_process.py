"""The child process that stores records: when it starts, when it ends, and what it leaves."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from headway.ledger import shipper_process
from headway.ledger.shipper_process import LOCKED, ShipperProcess, ShipperSettings
from headway.ledger.spool import FileSpool
from headway.ledger.spool_reader import ShipperLock, is_shipper_running
from headway.ledger.store import Filter
from headway.ledger.stores import new_store
from headway.record import Record, encode
from support.waiting import PATIENCE_S


def line(number: int) -> bytes:
    id_ = f"00000000-0000-4000-8000-{number:012d}"
    return encode(Record(id_, "r", time.time(), time.time() - 1, "/route", "engine", "ok"))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Place:
    """A spool and its database."""

    def __init__(self, directory: Path) -> None:
        self.spool = directory / "spool"
        self.url = f"sqlite:///{directory}/ledger.db"
        self.settings = ShipperSettings(
            url=self.url, directory=str(self.spool), old_file=str(directory / "old.spool.jsonl")
        )

    def write(self, number: int) -> None:
        spool = FileSpool(self.spool)
        spool.append(line(number))
        spool.close()

    def files(self) -> int:
        return len(list(self.spool.glob("*-*.jsonl")))

    def count(self) -> int:
        async def read() -> int:
            store = new_store(self.url)
            await store.open(migrates=False)
            records, _ = await store.attempts(Filter())
            await store.close()
            return len(records)

        return asyncio.run(read())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def process(place: Place) -> Iterator[ShipperProcess]:
    process = ShipperProcess(place.settings)
    yield process
    process.stop(PATIENCE_S)


def test_it_starts_when_there_is_something_and_stores_the_rest_when_it_is_stopped(
    place: Place, process: ShipperProcess
) -> None:
    process.keep_running()
    assert process.pid is None
    place.write(1)
    process.keep_running()
    pid = process.pid
    assert pid is not None
    until(lambda: place.files() == 0)
    process.keep_running()
    assert process.pid == pid
    place.write(2)
    process.stop(PATIENCE_S)
    process.stop()
    assert place.count() == 2
    assert not is_shipper_running(str(place.spool))


def test_it_starts_for_the_file_of_an_earlier_version_and_at_some_time_for_nothing(
    place: Place, tmp_path: Path
) -> None:
    now = [100.0]
    process = ShipperProcess(place.settings, clock=lambda: now[0])
    started: list[float] = []
    process.start = lambda delay_s=0.0: started.append(delay_s)  # type: ignore[method-assign]
    process.keep_running()
    assert started == []
    (tmp_path / "old.spool.jsonl").write_bytes(b"")
    process.keep_running()
    assert len(started) == 1
    (tmp_path / "old.spool.jsonl").unlink()
    process.keep_running()
    assert len(started) == 1
    now[0] += shipper_process.UNASKED_S
    process.keep_running()
    assert len(started) == 2


def test_signals_do_not_stop_it_and_a_killed_one_is_replaced_after_a_while(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    process = ShipperProcess(place.settings, clock=lambda: now[0])
    place.write(1)
    process.keep_running()
    first = process.pid
    assert first is not None
    until(lambda: place.files() == 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(first, number)
    place.write(2)
    until(lambda: place.files() == 0)
    os.kill(first, signal.SIGKILL)
    place.write(3)
    until(lambda: process.keep_running() or process.pid is None)
    assert caplog.messages == [
        "the process that stores records ended with exit code -9; another one is started, and "
        "nothing is lost"
    ]
    process.keep_running()
    assert process.pid is None
    now[0] += shipper_process.SHORTEST_DELAY_S
    process.keep_running()
    assert process.pid not in (None, first)
    process.stop(PATIENCE_S)
    assert place.count() == 3


def test_a_child_that_died_is_replaced_at_the_end(place: Place, process: ShipperProcess) -> None:
    place.write(1)
    process.keep_running()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    place.write(2)
    process.stop(PATIENCE_S)
    assert place.count() == 2
    assert place.files() == 0


def test_it_is_not_started_while_another_process_ships(
    place: Place, process: ShipperProcess
) -> None:
    place.write(1)
    lock = ShipperLock(str(place.spool))
    assert lock.take()
    process.keep_running()
    assert process.pid is None
    lock.release()
    process.keep_running()
    assert process.pid is not None


def test_one_that_finds_another_one_ends_without_a_word(
    place: Place, process: ShipperProcess, caplog: pytest.LogCaptureFixture
) -> None:
    assert process.on_exit(LOCKED) == shipper_process.SHORTEST_DELAY_S
    assert process.on_exit(LOCKED) == 2 * shipper_process.SHORTEST_DELAY_S
    assert caplog.messages == []
    for _ in range(10):
        process.on_exit(1)
    assert process.on_exit(1) == shipper_process.LONGEST_DELAY_S


WRITES_AND_DIES = """
import os, signal, sys
import msgspec
from headway.ledger.shipper_process import ShipperProcess, ShipperSettings
from headway.ledger.spool import FileSpool
settings = msgspec.json.decode(sys.argv[1], type=ShipperSettings)
spool = FileSpool(settings.directory)
process = ShipperProcess(settings)
process.open_lifeline()
child = os.fork()
if child == 0:
    sys.stdin.readline()
    spool.append(sys.argv[3].encode() + b"\\n")
    os.kill(os.getpid(), signal.SIGKILL)
spool.append(sys.argv[2].encode() + b"\\n")
process.start()
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_outlives_the_last_process_that_writes_and_stores_the_rest(place: Place) -> None:

    texts = [each.decode().rstrip("\n") for each in (line(1), line(2))]
    arguments = [msgspec.json.encode(place.settings).decode(), *texts]
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_AND_DIES, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        assert parent.stdout.readline()
        parent.wait(PATIENCE_S)
        until(lambda: is_shipper_running(str(place.spool)))
        parent.stdin.write(b"go on\n")
        parent.stdin.close()
        until(lambda: not is_shipper_running(str(place.spool)))
    assert place.count() == 2
    assert place.files() == 0


def test_an_interpreter_that_cannot_be_started_is_logged(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/missing/python")
    process = ShipperProcess(place.settings)
    place.write(1)
    with caplog.at_level(logging.ERROR):
        process.keep_running()
        process.keep_running()
    assert caplog.messages == [
        "the process that stores records cannot be started: No such file or directory"
    ]
    process.stop()
    assert place.files() == 1
