"""The child exits when its parent does, however the parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from child_processes import fake_server, wait_for

from headway.local.weights import locate
from support.processes import is_gone
from support.waiting import PATIENCE_S

PARENT = Path(__file__).with_name("parent_process.py")
HAS_MODEL = locate(Path("/nonexistent")) is not None
needs_model = pytest.mark.skipif(not HAS_MODEL, reason="the weights are not installed")


@contextmanager
def parent(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A parent process and the process id of its child."""
    process = subprocess.Popen(
        [sys.executable, str(PARENT), *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", ["fake", pytest.param("model", marks=needs_model)])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_exits_within_two_seconds_of_its_parent(
    kind: str, loop: str, sign: signal.Signals
) -> None:
    with parent(loop, kind) as (process, child):
        assert not is_gone(child)
        process.send_signal(sign)
        assert wait_for(lambda: is_gone(child), 2.0)


def test_a_child_whose_parent_has_exited_does_not_start() -> None:
    command = [part for part in fake_server(0) if not part.startswith("--parent")]
    done = subprocess.run(
        [*command, "--parent=1"], stdin=subprocess.PIPE, capture_output=True, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_ctrl_c_in_the_terminal_does_not_reach_the_child() -> None:
    with parent("asyncio", "fake") as (process, child):
        assert os.getsid(child) != os.getsid(process.pid)
