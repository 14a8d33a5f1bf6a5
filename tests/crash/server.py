"""A real ``headway serve`` whose processes can be killed."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import yaml

from support.gateway_process import clean_environment
from support.ports import free_port
from support.processes import children, is_shipper

START_S = 30.0
STOP_S = 60.0
TARGETS = ("all", "group", "server", "worker", "shipper")
"""What is killed: every process, the process group of ``headway serve`` (the shipper is in another
one), its first process, one of its workers, or the shipper."""


class CrashServer:
    """``headway serve`` with a configuration in ``directory``, on a port that stays the same."""

    def __init__(self, directory: Path, ledger: dict[str, object], workers: int) -> None:
        self.directory = directory
        self.workers = workers
        self.port = free_port()
        self.log = directory / "log"
        config = {
            "ledger": {"spool": str(directory / "spool"), **ledger},
            "server": {
                "workers": workers,
                "port": self.port,
                "shutdown_grace": "5s",
                "log": {"level": "error"},
            },
            "prices": {"echo": {"echo": {"input": 3, "output": 7}}},
        }
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "headway.yaml").write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "headway", "serve", "--config", "headway.yaml"],
                cwd=self.directory,
                env=clean_environment({}),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError(f"the gateway does not start:\n{self.tail()}")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self, target: str) -> bool:
        """Send SIGKILL. Returns whether there was such a process."""
        assert self._process is not None
        pid = self._process.pid
        started = children(pid)
        shippers = [each for each in started if is_shipper(each)]
        workers = [each for each in started if each not in shippers]
        if target in ("all", "group"):
            os.killpg(pid, signal.SIGKILL)
            killed = [pid, *(shippers if target == "all" else ())]
        elif target == "server":
            killed = [pid]
        else:
            killed = (
                random.sample(shippers if target == "shipper" else workers, 1)[:1]
                if (shippers if target == "shipper" else workers)
                else []
            )
        for each in killed:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if pid in killed:
            self._process.wait()
        return bool(killed)

    def stop(self) -> None:
        """Let it end by itself, with everything stored."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the gateway does not stop:\n{self.tail()}") from None

    def clean_up(self) -> None:
        """Leave no process."""
        if self.is_running:
            self.kill("all")

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
