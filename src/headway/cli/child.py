"""A gateway in a process of its own, for as long as a ``with`` block lasts."""

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

from headway.cli.problems import UNREACHABLE, Problem

LISTENING = re.compile(r"Headway listening on (\S+)")
STOP_S = 10.0
"""How long it may take to end by itself once it was asked to."""
LINES_KEPT = 20


class GatewayProcess:
    """Its stderr is read, so that it can say where it listens, or why it does not."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own command line
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._url: str | None = None
        self._settled = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def url(self, seconds: float) -> str:
        """Where it listens, once it does. Raises Problem with its last words if it does not."""
        if self._settled.wait(seconds) and self._url is not None:
            return self._url
        said = "\n".join(self._lines) or None
        raise Problem("the gateway did not start", details=said, code=UNREACHABLE)

    @property
    def returncode(self) -> int | None:
        """As subprocess has it; None while it runs."""
        return self._process.returncode

    def stop(self) -> None:
        """Ask it to end, insist after a while. Returns when it is gone."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1.0)  # the pipe outlives the process if a child of its own holds it

    def _read(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError), self._process.stderr as lines:
            for line in lines:
                self._lines.append(line.rstrip())
                if found := LISTENING.search(line):
                    self._url = found[1]
                    self._settled.set()
        self._settled.set()


@contextmanager
def gateway(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[GatewayProcess]:
    """Runs ``command``. Gone at the end of the block, whatever ends it: SIGTERM and SIGHUP too,
    which by themselves would leave it behind."""
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
