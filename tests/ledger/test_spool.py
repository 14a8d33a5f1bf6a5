from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headway.ledger import spool as spool_module
from headway.ledger.spool import FileSpool, find_old_file
from support.waiting import PATIENCE_S


class HandClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "headway" / "h.db.spool"


def written(directory: Path) -> bytes:
    """The contents of the only file."""
    (path,) = directory.glob("*.jsonl")
    return path.read_bytes()


def is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/h.db", "/var/lib/h.db.spool.jsonl"),
        ("sqlite:///h.db", "h.db.spool.jsonl"),
        ("sqlite:///", None),
        ("postgresql://host/db", None),
    ],
)
def test_the_file_of_earlier_versions_is_next_to_the_database(
    url: str, expected: str | None
) -> None:
    assert find_old_file(url) == expected


def test_lines_are_kept_in_order(directory: Path) -> None:
    spool = FileSpool(directory)
    for number in range(3):
        spool.append(b"%d\n" % number)
    assert written(directory).splitlines(True) == [b"0\n", b"1\n", b"2\n"]
    assert (spool.lost, spool.held, spool.problem) == (0, 0, None)
    spool.close()
    spool.close()


def test_only_the_owner_can_read_the_spool_and_the_directories_made_for_it(
    directory: Path,
) -> None:
    previous = os.umask(0)
    try:
        spool = FileSpool(directory)
        spool.append(b"{}\n")
    finally:
        os.umask(previous)
    spool.close()
    (path,) = directory.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in list(path.parents)[:3]] == [0o700] * 3


def test_the_descriptor_is_not_inherited_by_children(directory: Path) -> None:
    spool = FileSpool(directory)
    spool.append(b"1\n")
    descriptor = spool.take_unsynced()
    assert descriptor is not None
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    spool.close()


def test_each_writer_has_a_file_that_it_keeps_locked(directory: Path) -> None:
    spools = [FileSpool(directory, unix_time=lambda: 12.3456) for _ in range(2)]
    for spool in spools:
        spool.append(b"1\n")
    paths = list(directory.iterdir())
    assert len(paths) == 2
    for path in paths:
        assert re.fullmatch(rf"12345-{os.getpid()}-[0-9a-f]{{8}}\.jsonl", path.name)
        assert is_locked(path)
    for spool in spools:
        spool.close()
    assert not any(is_locked(path) for path in paths)


def test_a_file_without_lines_does_not_stay(directory: Path) -> None:
    spool = FileSpool(directory)
    spool.open()
    spool.open()
    assert len(list(directory.iterdir())) == 1
    spool.close()
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("by", ["size", "age"])
def test_a_large_or_old_file_is_followed_by_another(
    directory: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "ROTATION_BYTES", 3 if by == "size" else 100)
    clock = HandClock()
    spool = FileSpool(directory, clock=clock)
    spool.append(b"1\n")
    clock.now += 1 if by == "size" else spool_module.ROTATION_S - 1
    spool.append(b"2\n")
    clock.now += 1
    spool.append(b"3\n")
    spool.close()
    assert sorted(path.read_bytes() for path in directory.iterdir()) == [b"1\n2\n", b"3\n"]


def test_an_old_file_is_released_while_nothing_is_written(directory: Path) -> None:
    clock = HandClock()
    spool = FileSpool(directory, clock=clock)
    spool.append(b"1\n")
    (path,) = directory.iterdir()
    spool.maintain()
    assert is_locked(path)
    clock.now += spool_module.ROTATION_S
    spool.maintain()
    assert not is_locked(path)
    spool.append(b"2\n")
    assert len(list(directory.iterdir())) == 2
    spool.close()


def test_a_clock_that_steps_backwards_changes_only_a_name(directory: Path) -> None:
    unix = HandClock()
    spool = FileSpool(directory, unix_time=unix)
    spool.append(b"1\n")
    spool.close()
    unix.now -= 50
    spool = FileSpool(directory, unix_time=unix)
    spool.append(b"2\n")
    spool.close()
    assert sorted(path.read_bytes() for path in directory.iterdir()) == [b"1\n", b"2\n"]


@pytest.mark.parametrize("end", ["moved", "deleted", "directory deleted"])
def test_a_moved_file_is_replaced_within_a_second(directory: Path, end: str) -> None:
    clock = HandClock()
    spool = FileSpool(directory, clock=clock)
    spool.append(b"1\n")
    (path,) = directory.iterdir()
    moved = directory.parent / "moved"
    path.rename(moved)
    if end != "moved":
        moved.unlink()
    if end == "directory deleted":
        directory.rmdir()
    clock.now += 0.5
    spool.append(b"2\n")
    assert not path.exists()
    clock.now += 0.5
    spool.append(b"3\n")
    spool.close()
    assert written(directory) == b"3\n"
    if end == "moved":
        assert moved.read_bytes() == b"1\n2\n"


def test_open_fails_for_a_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "file" / "spool"):
        spool = FileSpool(wrong)
        with pytest.raises(OSError):
            spool.open()


def test_write_failures_are_logged_once_and_lines_are_held_until_writing_works_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "HELD_BYTES", 100)
    obstacle = tmp_path / "state"
    obstacle.write_text("a file where a directory should be")
    changes: list[bool] = []
    spool = FileSpool(obstacle / "spool")
    spool.on_change = changes.append
    with caplog.at_level(logging.WARNING, "headway.ledger"):
        for _ in range(3):
            spool.append(b'{"prompt": "none of this is logged"}\n')
        assert (spool.held, spool.lost) == (2, 1)
        assert spool.problem == "Not a directory"
        assert spool.failing_since is not None
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        obstacle.unlink()
        spool.append(b"kept\n")
        spool.append(b"kept too\n")
    assert (spool.held, spool.lost, spool.problem, spool.failing_since) == (0, 1, None, None)
    spool.close()
    held = b'{"prompt": "none of this is logged"}\n'
    assert written(obstacle / "spool") == held + held + b"kept\nkept too\n"
    assert changes == [True, False]
    first, second = (record.getMessage() for record in caplog.records)
    assert str(obstacle) in first
    assert "free space" in first
    assert "2 were held in memory, 1 were lost" in second
    assert "none of this" not in first + second


def test_writing_is_tried_again_while_no_request_comes(tmp_path: Path) -> None:
    obstacle = tmp_path / "state"
    obstacle.write_text("")
    spool = FileSpool(obstacle / "spool")
    spool.append(b"held\n")
    spool.maintain()
    assert spool.problem is not None
    obstacle.unlink()
    spool.maintain()
    assert spool.problem is None
    spool.close()
    assert written(obstacle / "spool").split(b"\n") == [b"held", b"", b""]


def test_lines_that_can_never_be_written_are_lost_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    spool = FileSpool(tmp_path / "file" / "spool")
    spool.append(b"1\n")
    spool.close()
    spool.append(b"2\n")
    spool.maintain()
    assert spool.lost == 2
    assert "1 records were lost: Not a directory" in caplog.messages


def test_a_closed_spool_counts_lost_lines(directory: Path) -> None:
    spool = FileSpool(directory)
    spool.append(b"in time\n")
    spool.close()
    spool.append(b"late\n")
    assert spool.lost == 1
    assert written(directory) == b"in time\n"


def test_a_full_spool_takes_lines_again_when_its_files_are_deleted(directory: Path) -> None:
    clock = HandClock()
    other = FileSpool(directory, clock=clock)
    other.append(b"1" * 99 + b"\n")
    spool = FileSpool(directory, clock=clock, limit=150)
    spool.append(b"2" * 99 + b"\n")
    assert spool.problem is None  # the size is looked at each second
    clock.now += 1
    for _ in range(2):
        spool.append(b"3\n")
    assert "200 bytes, and ledger.spool_limit is 150" in (spool.problem or "")
    files = [path for path in directory.iterdir() if not is_locked(path)]
    assert [path.read_bytes() for path in files] == [b"2" * 99 + b"\n"]
    files[0].unlink()  # as the shipper does when it is stored
    clock.now += 1
    spool.maintain()
    assert (spool.problem, spool.held) == (None, 0)
    other.close()
    spool.close()
    assert sorted(path.read_bytes()[:2] for path in directory.iterdir()) == [b"11", b"3\n"]


def test_always_forces_each_line_to_the_disk(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.fstat(fd).st_size))
    spool = FileSpool(directory, fsync="always")
    for _ in range(3):
        spool.append(b"1\n")
    spool.close()
    assert [size for size in synced if size < 10] == [2, 4, 6]  # the directory is larger


def test_a_line_that_cannot_be_forced_to_the_disk_is_written_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fdatasync, errors = os.fdatasync, [OSError(5, "Input/output error")]
    spool = FileSpool(directory, fsync="always")
    spool.open()

    def sync(fd: int) -> None:
        if errors:
            raise errors.pop()
        fdatasync(fd)

    monkeypatch.setattr(os, "fdatasync", sync)
    spool.append(b"1\n")
    assert (spool.problem, spool.held) == ("Input/output error", 1)
    spool.append(b"2\n")
    assert spool.problem is None
    spool.close()
    assert written(directory) == b"1\n1\n2\n"


def test_a_file_is_to_be_synced_only_after_lines_were_written(directory: Path) -> None:
    spool = FileSpool(directory)
    assert spool.take_unsynced() is None
    spool.append(b"1\n")
    first = spool.take_unsynced()
    assert first is not None
    spool_module.sync(first)
    assert spool.take_unsynced() is None
    spool.close()


FILLS_THE_DISK = """
import resource, sys
from headway.ledger.spool import FileSpool
spool = FileSpool(sys.argv[1])
spool.append(b"1" * 99 + b"\\n")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, hard))
spool.append(b"2" * 99 + b"\\n")
spool.append(b"3" * 99 + b"\\n")
print(spool.held, spool.lost)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
spool.append(b"4" * 99 + b"\\n")
print(spool.held, spool.lost)
"""


def test_a_disk_that_fills_up_during_a_line_damages_no_other_line(directory: Path) -> None:
    with run(FILLS_THE_DISK, directory) as writer:
        assert writer.stdout is not None
        assert writer.stdout.read() == b"1 0\n0 0\n"
    files = sorted(path.read_bytes().split(b"\n") for path in directory.glob("*.jsonl"))
    assert files == [
        [b"1" * 99, b"2" * 50],
        [b"2" * 99, b"3" * 50],
        [b"3" * 99, b"4" * 99, b""],
    ]


def test_what_a_short_write_left_follows_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = FileSpool(directory)
    spool.open()
    write, sizes = os.write, [4]

    def short(fd: int, data: bytes) -> int:
        return write(fd, data[: sizes.pop()] if sizes else data)

    monkeypatch.setattr(os, "write", short)
    spool.append(b'{"a":1}\n')
    spool.append(b'{"b":1}\n')
    sizes[:] = [3, 3]
    spool.append(b'{"c":1}\n')
    spool.append(b'{"d":1}\n')
    spool.close()
    assert written(directory) == b'{"a":1}\n{"b":1}\n{"c":1}\n{"d":1}\n'
    assert spool.lost == 0


ACKNOWLEDGES = """
import os, sys
from headway.ledger.spool import FileSpool
spool = FileSpool(sys.argv[1])
number = 0
while True:
    spool.append(b'{"n":%d,"fill":"%s"}\\n' % (number, b"x" * 1400))
    os.write(1, b"%d\\n" % number)
    number += 1
"""


def test_kill_9_loses_no_acknowledged_line(directory: Path) -> None:
    with run(ACKNOWLEDGES, directory) as writer:
        assert writer.stdout is not None
        for _ in range(500):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split(b"\n")
        acknowledged = int(rest[-2]) if len(rest) > 1 else 499
    numbers = [
        json.loads(line)["n"] for line in written(directory).splitlines()[: acknowledged + 1]
    ]
    assert acknowledged >= 499
    assert numbers == list(range(acknowledged + 1))


APPENDS = """
import sys
from headway.ledger.spool import FileSpool
spool = FileSpool(sys.argv[1])
for number in range(1000):
    spool.append(b'{"who":%s,"n":%d,"fill":"%s"}\\n' % (sys.argv[2].encode(), number, b"x" * 1400))
"""


def test_processes_that_append_at_once_have_a_file_each(directory: Path) -> None:
    writers = [run(APPENDS, directory, who) for who in range(4)]
    for writer in writers:
        with writer:
            assert writer.wait(PATIENCE_S) == 0
    files = [path.read_bytes().splitlines() for path in directory.iterdir()]
    seen = [[(each["who"], each["n"]) for each in map(json.loads, lines)] for lines in files]
    assert sorted(seen) == [[(who, number) for number in range(1000)] for who in range(4)]
