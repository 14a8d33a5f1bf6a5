"""The child is gone when its parent is, however that went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import is_gone, standin, wait_for

from headway.local.weights import locate

PARENT = Path(__file__).with_name("parent.py")
HAS_MODEL = locate(Path("/nonexistent")) is not None
needs_model = pytest.mark.skipif(not HAS_MODEL, reason="the weights are not installed")


@contextmanager
def parent(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(PARENT), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.parametrize("kind", ["standin", pytest.param("model", marks=needs_model)])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_is_gone_within_two_seconds_of_its_parent(
    kind: str, loop: str, sign: signal.Signals
) -> None:
    with parent(loop, kind) as process:
        child = next_pid(process)
        assert not is_gone(child)
        process.send_signal(sign)
        assert wait_for(lambda: is_gone(child), 2.0)


def test_the_pipe_alone_suffices() -> None:
    with parent("asyncio", "standin", STANDIN_WITHOUT_PRCTL="1") as process:
        child = next_pid(process)
        process.kill()
        assert wait_for(lambda: is_gone(child), 2.0)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_kernel_alone_suffices_when_someone_else_holds_the_pipe() -> None:
    with parent("asyncio", "standin", "leak") as process:
        holder, child = next_pid(process), next_pid(process)
        try:
            process.kill()
            assert wait_for(lambda: is_gone(child), 2.0)
        finally:
            os.kill(holder, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="a leaked pipe is found through /proc")
def test_a_held_pipe_without_the_kernel_would_keep_it() -> None:
    """Shows that the two tests above each test what they say."""
    with parent("asyncio", "standin", "leak", STANDIN_WITHOUT_PRCTL="1") as process:
        holder, child = next_pid(process), next_pid(process)
        try:
            process.kill()
            assert not wait_for(lambda: is_gone(child), 0.5)
        finally:
            os.kill(holder, signal.SIGKILL)
        assert wait_for(lambda: is_gone(child), 2.0)


def test_a_child_whose_parent_was_gone_before_it_looked_does_not_start() -> None:
    command = [part for part in standin(0) if not part.startswith("--parent")]
    done = subprocess.run(
        [*command, "--parent=1"], stdin=subprocess.PIPE, capture_output=True, timeout=10
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_ctrl_c_in_the_terminal_is_for_the_parent_alone() -> None:
    with parent("asyncio", "standin") as process:
        child = next_pid(process)
        assert os.getsid(child) != os.getsid(process.pid)
