"""A gateway as a child process, for the duration of a ``with`` block."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from headway.cli.errors import UNREACHABLE, CommandError

LISTENING = re.compile(r'Headway listening on ([^\s"]+)')
STOP_S = 10.0
"""Time from SIGTERM to SIGKILL."""
MAX_LINES = 20


class GatewayProcess:
    """A gateway as a child process. Its stderr has its address, or the reason why it failed."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  a fixed command line
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._url: str | None = None
        self._started_or_ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def url(self, seconds: float) -> str:
        """The URL where it listens. Raises CommandError with its last lines if it fails."""
        if self._started_or_ended.wait(seconds) and self._url is not None:
            return self._url
        last_lines = "\n".join(self._lines) or None
        raise CommandError("the gateway did not start", details=last_lines, code=UNREACHABLE)

    @property
    def returncode(self) -> int | None:
        """As in subprocess: None while it runs."""
        return self._process.returncode

    def stop(self) -> None:
        """Terminate it, and kill it after ``STOP_S``. Returns when it has exited."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1.0)  # the pipe stays open if a child of the process has it

    def _read(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError), self._process.stderr as lines:
            for line in lines:
                self._lines.append(line.rstrip())
                if found := LISTENING.search(line):
                    self._url = found[1]
                    self._started_or_ended.set()
        self._started_or_ended.set()


@contextmanager
def gateway(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[GatewayProcess]:
    """Run ``command`` for the duration of the block. SIGTERM and SIGHUP, which would leave the
    child behind, end the block as well."""
    with _signals_unwind(), _stopped(GatewayProcess(command, environ)) as process:
        yield process


@contextmanager
def _stopped(process: GatewayProcess) -> Iterator[GatewayProcess]:
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def _signals_unwind() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGHUP) if os.name == "posix" else (signal.SIGTERM,)
    before = {number: signal.signal(number, _unwind) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unwind(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
