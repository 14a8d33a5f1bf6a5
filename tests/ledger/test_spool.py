from __future__ import annotations

import json
import logging
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headway.ledger.spool import FileSpool, spool_path


class HandClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "headway" / "h.db.spool.jsonl"


def run(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/h.db", "/var/lib/h.db.spool.jsonl"),
        ("sqlite:///h.db", "h.db.spool.jsonl"),
    ],
)
def test_the_spool_is_next_to_the_ledger(url: str, expected: str) -> None:
    assert spool_path(url) == expected


@pytest.mark.parametrize("url", ["", "sqlite:///", "postgres://host/db", "/var/lib/h.db"])
def test_a_ledger_without_a_path_has_no_spool(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        spool_path(url)


def test_lines_are_kept_in_order(path: Path) -> None:
    spool = FileSpool(path)
    for number in range(3):
        spool.append(b"%d\n" % number)
    assert path.read_bytes().splitlines(True) == [b"0\n", b"1\n", b"2\n"]
    assert spool.failures == 0
    spool.close()
    spool.close()


def test_only_the_owner_can_read_the_spool_and_the_directories_made_for_it(path: Path) -> None:
    previous = os.umask(0)
    try:
        spool = FileSpool(path)
        spool.append(b"{}\n")
    finally:
        os.umask(previous)
    spool.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in list(path.parents)[:2]] == [0o700] * 2


def test_the_descriptor_is_not_inherited_by_children(path: Path) -> None:
    spool = FileSpool(path)
    assert not os.get_inheritable(spool.reopen())
    spool.close()


def test_a_spool_appends_to_an_existing_file(path: Path) -> None:
    for line in (b"1\n", b"2\n"):
        spool = FileSpool(path)
        spool.append(line)
        spool.close()
    assert path.read_bytes() == b"1\n2\n"


def test_a_line_torn_by_a_crash_does_not_damage_the_next_one(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"a":1}\n{"b":')
    spool = FileSpool(path)
    spool.append(b'{"c":1}\n')
    spool.append(b'{"d":1}\n')
    spool.close()
    assert path.read_bytes() == b'{"a":1}\n{"b":\n{"c":1}\n{"d":1}\n'


@pytest.mark.parametrize("end", ["moved", "deleted", "directory deleted"])
def test_a_moved_file_is_replaced_within_a_second(path: Path, end: str) -> None:
    clock = HandClock()
    spool = FileSpool(path, clock)
    spool.append(b"1\n")
    moved = path.with_suffix(".1")
    path.rename(moved)
    if end != "moved":
        moved.unlink()
    if end == "directory deleted":
        path.parent.rmdir()
    clock.now += 0.5
    spool.append(b"2\n")
    assert not path.exists()
    clock.now += 0.5
    spool.append(b"3\n")
    spool.close()
    assert path.read_bytes() == b"3\n"
    if end == "moved":
        assert moved.read_bytes() == b"1\n2\n"


def test_reopen_leaves_a_file_that_is_still_there_open(path: Path) -> None:
    spool = FileSpool(path)
    assert spool.reopen() == spool.reopen()
    path.rename(path.with_suffix(".1"))
    path.write_bytes(b"another process was first\n")
    spool.reopen()
    spool.append(b"1\n")
    spool.close()
    assert path.read_bytes() == b"another process was first\n1\n"


def test_open_fails_for_a_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = FileSpool(tmp_path / "file" / "spool.jsonl")
    with pytest.raises(OSError):
        spool.open()


def test_write_failures_are_counted_and_logged_once_until_writing_works_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    obstacle = tmp_path / "state"
    obstacle.write_text("a file where a directory should be")
    spool = FileSpool(obstacle / "spool.jsonl")
    with caplog.at_level(logging.WARNING, "headway.ledger"):
        for _ in range(3):
            spool.append(b'{"prompt": "none of this is logged"}\n')
        assert spool.failures == 3
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        obstacle.unlink()
        spool.append(b"kept\n")
        spool.append(b"kept too\n")
    spool.close()
    assert (obstacle / "spool.jsonl").read_bytes() == b"kept\nkept too\n"
    assert spool.failures == 3
    first, second = (record.getMessage() for record in caplog.records)
    assert str(obstacle) in first
    assert "free space" in first
    assert "3 were lost" in second
    assert "none of this" not in first + second


def test_a_closed_spool_counts_lost_lines(path: Path) -> None:
    spool = FileSpool(path)
    spool.open()
    spool.open()
    spool.append(b"in time\n")
    spool.close()
    spool.append(b"late\n")
    assert spool.failures == 1
    assert path.read_bytes() == b"in time\n"


FILLS_THE_DISK = """
import resource, sys
from headway.ledger.spool import FileSpool
spool = FileSpool(sys.argv[1])
spool.append(b"1" * 99 + b"\\n")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, hard))
spool.append(b"2" * 99 + b"\\n")
spool.append(b"3" * 99 + b"\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
spool.append(b"4" * 99 + b"\\n")
print(spool.failures)
"""


def test_a_disk_that_fills_up_during_a_line_damages_no_other_line(path: Path) -> None:
    with run(FILLS_THE_DISK, path) as writer:
        assert writer.stdout is not None
        assert writer.stdout.read() == b"2\n"
    assert path.read_bytes().split(b"\n") == [b"1" * 99, b"2" * 50, b"4" * 99, b""]


def test_a_short_write_is_repeated_completely(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = FileSpool(path)
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
    lines = [b'{"a"', b'{"a":1}', b'{"b":1}', b'{"c', b'{"', b'{"d":1}', b""]
    assert path.read_bytes().split(b"\n") == lines
    assert spool.failures == 1


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


def test_kill_9_loses_no_acknowledged_line(path: Path) -> None:
    with run(ACKNOWLEDGES, path) as writer:
        assert writer.stdout is not None
        for _ in range(500):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split(b"\n")
        acknowledged = int(rest[-2]) if len(rest) > 1 else 499
    numbers = [json.loads(line)["n"] for line in path.read_bytes().splitlines()[: acknowledged + 1]]
    assert acknowledged >= 499
    assert numbers == list(range(acknowledged + 1))


APPENDS = """
import sys
from headway.ledger.spool import FileSpool
spool = FileSpool(sys.argv[1])
for number in range(1000):
    spool.append(b'{"who":%s,"n":%d,"fill":"%s"}\\n' % (sys.argv[2].encode(), number, b"x" * 1400))
"""


def test_processes_that_append_at_once_tear_no_lines(path: Path) -> None:
    writers = [run(APPENDS, path, who) for who in range(4)]
    for writer in writers:
        with writer:
            assert writer.wait(30) == 0
    # A process that opens the file during another's write starts a new line: an empty one remains.
    seen = [json.loads(line) for line in path.read_bytes().splitlines() if line]
    assert len(seen) == 4000
    for who in range(4):
        assert [each["n"] for each in seen if each["who"] == who] == list(range(1000))
