"""Keeps one child server running: starts it when it is first wanted, and again when it dies.

One thread, one straight line: prepare, run until it is gone, wait a while, again. Others ask for
its address from any thread, and whoever asks while it starts waits for that same start.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec

from headway.errors import UpstreamUnreachable
from headway.local.unavailable import renewed, unavailable
from headway.types import Clock

if TYPE_CHECKING:
    from headway.local.process import ChildProcess

Command = Callable[[int], Sequence[str]]
"""port -> the child's arguments; 0 lets the kernel choose, later runs get the first one's. Called
in the supervisor's thread, so it may block. Raises UpstreamUnreachable with the remedy."""


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. A death after ``stable`` seconds of service counts as the first."""

    first: float = 0.1
    factor: float = 2.0
    attempts: int = 5
    """Failures in a row after which whoever waits is told; the next try is due after ``rest``."""
    rest: float = 15.0
    stable: float = 30.0
    start_timeout: float = 60.0
    grace: float = 2.0

    def delay(self, failures: int) -> float:
        """Before the start that follows this many failures in a row."""
        return 0.0 if failures == 0 else self.first * self.factor ** (failures - 1)


class Supervisor:
    def __init__(
        self, command: Command, backoff: Backoff | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._command = command
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._waiting: list[Future[str]] = []
        self._thread: threading.Thread | None = None
        self._child: ChildProcess | None = None
        self._url: str | None = None
        self._port = 0
        self._refusal: UpstreamUnreachable | None = None
        self._resting_until = 0.0

    @property
    def pid(self) -> int | None:
        """The running child's, else None."""
        child = self._child
        return child.pid if child is not None else None

    @property
    def is_closing(self) -> threading.Event:
        """Set by ``close``; a command that blocks for long looks at it."""
        return self._closing

    def url(self) -> str | None:
        """Where the child listens now, or None if it does not."""
        with self._lock:
            child = self._child
            return self._url if child is not None and child.is_alive else None

    def ready(self) -> Future[str]:
        """Start it if need be. Resolves to its address, ``http://127.0.0.1:PORT``, or fails with
        UpstreamUnreachable: at once while it rests from failing, else when it has failed."""
        future: Future[str] = Future()
        with self._lock:
            refusal = self._refused()
            if refusal is not None:
                future.set_exception(refusal)
            elif self._url is not None and self._child is not None and self._child.is_alive:
                future.set_result(self._url)
            else:
                self._waiting.append(future)
                self._wake()
        return future

    def close(self) -> None:
        """End the child and wait until it is gone. For good; safe to call again."""
        with self._lock:
            self._closing.set()
            child, thread = self._child, self._thread
        if child is not None:
            child.terminate(self._backoff.grace)
        if thread is not None:
            thread.join()

    def _refused(self) -> UpstreamUnreachable | None:
        if self._closing.is_set():
            return _closed()
        remaining = self._resting_until - self._clock()
        if self._refusal is None or remaining <= 0:
            return None
        return renewed(self._refusal, remaining)

    def _wake(self) -> None:
        if self._thread is None:
            # A daemon: the interpreter's exit must not wait for a server that never ends.
            self._thread = threading.Thread(target=self._live, daemon=True, name="local-model")
            self._thread.start()

    def _live(self) -> None:
        """The thread. However it ends, nobody is left waiting; the next ``ready`` begins anew."""
        refusal = unavailable("its supervisor failed, see the log")
        try:
            refusal = self._supervise()
        finally:
            self._give_up(refusal)

    def _supervise(self) -> UpstreamUnreachable:
        """Returns why it gave up."""
        failures = 0
        while not self._closing.wait(self._backoff.delay(failures)):
            try:
                served_s, how = self._run_once()
            except UpstreamUnreachable as error:
                return error
            failures = 1 if served_s >= self._backoff.stable else failures + 1
            if failures >= self._backoff.attempts:
                return unavailable(f"its process does not stay up: {how}")
        return _closed()

    def _run_once(self) -> tuple[float, str]:
        """(seconds of service, how it ended)."""
        from headway.local.process import ChildProcess  # in this thread, where nobody waits for it

        try:
            child = ChildProcess(self._command(self._port))
        except OSError as error:
            return 0.0, str(error)
        with self._lock:
            self._child = child
            if self._closing.is_set():  # close() came while it started and did not see it
                child.kill()
        since: list[float] = []

        def on_ready(url: str) -> None:
            since.append(self._clock())
            self._announce(url)

        try:
            how = child.run(on_ready, self._backoff.start_timeout)
        finally:
            child.kill()
            self._forget(lose_port=not since)
        return (self._clock() - since[0] if since else 0.0), how

    def _forget(self, *, lose_port: bool) -> None:
        with self._lock:
            self._child = self._url = None
            if lose_port:  # it could not be had: perhaps it is somebody else's by now
                self._port = 0

    def _announce(self, url: str) -> None:
        with self._lock:
            self._url, self._refusal = url, None
            self._port = int(url.rpartition(":")[2])
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            _settle(future, url)

    def _give_up(self, refusal: UpstreamUnreachable) -> None:
        with self._lock:
            self._refusal, self._thread = refusal, None
            self._resting_until = self._clock() + self._backoff.rest
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            _settle(future, renewed(refusal, self._backoff.rest))


def _settle(future: Future[str], outcome: str | UpstreamUnreachable) -> None:
    if not future.set_running_or_notify_cancel():  # the caller went away meanwhile
        return
    if isinstance(outcome, str):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


def _closed() -> UpstreamUnreachable:
    return unavailable("it was stopped with the server")
