"""What the tests' helper says of processes: of this one, of children, and of those that ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import processes
from support.for_each import for_each
from support.waiting import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")

SLEEPER = [sys.executable, "-c", "input()", "shipper_main"]


@contextmanager
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends when its input is closed. It is not waited for before the end."""
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


def assert_ended(pid: int) -> None:
    assert processes.is_gone(pid)
    assert processes.children(pid) == []
    assert processes.command(pid) == b""
    assert not processes.is_shipper(pid)
    assert processes.descriptors(pid) == []
    assert processes.resident_bytes(pid) == 0


def test_a_running_process_is_described(tmp_path: Path) -> None:
    own = os.getpid()
    with sleeping() as child, (tmp_path / "open").open("w") as file:
        assert not processes.is_gone(child.pid)
        assert child.pid in processes.children(own)
        until(lambda: processes.is_shipper(child.pid))  # after exec
        assert processes.command(child.pid).split(b"\0") == [*map(str.encode, SLEEPER), b""]
        assert not processes.is_shipper(own)
        before = processes.descriptors(own)
        assert file.name in before
        file.close()
        assert len(processes.descriptors(own)) == len(before) - 1
        until(lambda: processes.resident_bytes(child.pid) > 1_000_000)
        assert 0 <= processes.cpu_s(child.pid) < 60
        burnt = time.process_time()
        assert abs(processes.cpu_s(own) - burnt) < 1


def test_children_of_all_threads_are_found() -> None:
    started: list[subprocess.Popen[bytes]] = []
    leave = threading.Event()

    def start() -> None:
        started.append(subprocess.Popen(SLEEPER, stdin=subprocess.PIPE))
        leave.wait(30)

    thread = threading.Thread(target=start)
    thread.start()
    until(lambda: started)
    try:
        assert started[0].pid in processes.children(os.getpid())
    finally:
        leave.set()
        thread.join()
        started[0].kill()
        started[0].communicate()


def test_a_zombie_and_a_process_that_was_waited_for_have_ended() -> None:
    with sleeping() as process:
        process.kill()
        until(lambda: processes.is_gone(process.pid))
        assert_ended(process.pid)
        process.wait()
        assert_ended(process.pid)


@for_each("error", processes.ENDED)
def test_a_process_that_ends_while_it_is_read_has_ended(error: type[OSError]) -> None:
    """As between ``open`` and ``read``: the files are there, and reading them fails."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_bytes", "iterdir"):
            patch.setattr(Path, name, _fail(error))
        assert_ended(os.getpid())


def _fail(error: type[OSError]) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        raise error

    return fail


def test_descriptors_that_are_closed_meanwhile_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "readlink", _fail(FileNotFoundError))
    assert processes.descriptors(os.getpid()) == []
