from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.fake_gateway import FakeGateway, running
from headway.cli.app import app
from support.waiting import PATIENCE_S

HEADWAY = [sys.executable, "-m", "headway"]


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with running() as fake:
        yield fake


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nobody's settings, and a state folder and working directory of the test's own."""
    for name in [name for name in os.environ if name.startswith(("HEADWAY_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for name in ("PYTHONUNBUFFERED", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(tmp_path)
    return dict(os.environ)


@pytest.fixture
def run(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in this process, stdin and stdout piped, against the fake gateway."""
    monkeypatch.setenv("HEADWAY_URL", gateway.url)

    def invoke(*arguments: str, stdin: str | bytes = "") -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return invoke


@dataclass
class Terminal:
    """``headway`` on a pseudo terminal of 140 columns."""

    process: subprocess.Popen[bytes]
    master: int
    seen: bytes = b""

    def until(self, text: str, seconds: float = PATIENCE_S, *, times: int = 1) -> str:
        while self.seen.count(text.encode()) < times:
            assert self._more(seconds), f"no {text!r} in {self.seen!r}"
        return self.seen.decode()

    def rest(self) -> tuple[str, int]:
        while self._more(PATIENCE_S):
            pass
        return self.seen.decode().replace("\r\n", "\n"), self.process.wait(PATIENCE_S)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def _more(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is gone
            return False
        self.seen += data
        return bool(data)


@pytest.fixture
def in_terminal(gateway: FakeGateway) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, **environ: str) -> Terminal:
        master, slave = pty.openpty()
        whole: Mapping[str, Any] = {**os.environ, "HEADWAY_URL": gateway.url, "COLUMNS": "140"}
        process = subprocess.Popen(
            [*HEADWAY, *arguments],
            env={**whole, **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        started.append(Terminal(process, master))
        return started[-1]

    yield start
    for terminal in started:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)
