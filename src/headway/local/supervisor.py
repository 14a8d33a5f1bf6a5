"""Keep a child process with an HTTP server running: start it on first use, restart it if it dies.

The child writes ``READY http://127.0.0.1:PORT`` to its stdout when it listens, and exits when its
stdin reaches end of file, which happens when this process ends, for any reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from headway.errors import UpstreamUnreachable
from headway.local.errors import copy_of, unavailable

log = logging.getLogger("headway")
READY = b"READY "
LOG_LINES = 40
HEALTH_TIMEOUT_S = 5.0
HEALTH_POLL_S = 0.05

Command = Callable[[int], Awaitable[Sequence[str]]]
"""port -> the child's arguments. 0 lets the kernel choose a port; a restart gets the port of the
first run. Raises UpstreamUnreachable with the remedy."""


class Backoff(Struct, frozen=True, kw_only=True):
    """Times in seconds. A failure after ``stable`` seconds of service counts as the first one."""

    first: float = 0.1
    factor: float = 2.0
    attempts: int = 5
    """Consecutive failures after which clients get an error, and the next start waits ``rest``."""
    rest: float = 15.0
    stable: float = 30.0
    start_timeout: float = 60.0
    grace: float = 2.0
    """Time between SIGTERM and SIGKILL."""

    def delay(self, failures: int) -> float:
        """The delay before the start that follows ``failures`` consecutive failures."""
        return 0.0 if failures == 0 else self.first * self.factor ** (failures - 1)


class Supervisor:
    """Runs in the event loop that first calls ``start`` or ``ready``."""

    def __init__(self, command: Command, backoff: Backoff | None = None) -> None:
        self._command = command
        self._backoff = backoff or Backoff()
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._ready = asyncio.Event()
        """Set while the child listens, and when a start has failed."""
        self._url: str | None = None
        self._port = 0
        self._error: UpstreamUnreachable | None = None
        self._resting_until = 0.0
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The id of the running child, else None."""
        return None if self._process is None else self._process.pid

    @property
    def url(self) -> str | None:
        """The address of the child, or None while it does not listen."""
        return self._url

    def start(self) -> None:
        """Start the child in the background, unless it runs, is starting, or must wait after
        failures."""
        is_resting = self._error is not None and time.monotonic() < self._resting_until
        if self._task is None and not self._is_closed and not is_resting:
            self._error = None
            self._ready.clear()
            self._task = asyncio.create_task(self._supervise())

    async def ready(self) -> str:
        """The child's address, ``http://127.0.0.1:PORT``, when it listens; starts it if necessary.
        Raises UpstreamUnreachable when it cannot be started."""
        self.start()
        if self._error is None and not self._is_closed:
            await self._ready.wait()
        if self._url is not None:
            return self._url
        if self._error is None:
            raise _stopped()
        raise copy_of(self._error, max(0.0, self._resting_until - time.monotonic()))

    async def close(self) -> None:
        """Stop the child and wait until it has exited. Final; may be called again."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._ready.set()

    async def _supervise(self) -> None:
        try:
            self._error = await self._run_until_given_up()
        except UpstreamUnreachable as error:
            self._error = error
        except asyncio.CancelledError:
            self._error = _stopped()
        except Exception:
            log.exception("the supervisor of the local model failed")
            self._error = unavailable("its supervisor failed, see the log")
        self._resting_until = time.monotonic() + self._backoff.rest
        self._task = None
        self._ready.set()

    async def _run_until_given_up(self) -> UpstreamUnreachable:
        failures = 0
        while True:
            await asyncio.sleep(self._backoff.delay(failures))
            served_s, ending = await self._run_once()
            failures = 1 if served_s >= self._backoff.stable else failures + 1
            if failures >= self._backoff.attempts:
                return unavailable(f"its process does not stay up: {ending}")

    async def _run_once(self) -> tuple[float, str]:
        """Run the child until it exits. Returns its seconds of service and how it ended."""
        command = await self._command(self._port)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,  # only its end of file is used: the child exits then
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,  # Ctrl-C is for this process, which ends the child itself
            )
        except OSError as error:
            return 0.0, str(error)
        self._process = process
        lines: deque[str] = deque(maxlen=LOG_LINES)
        logger = asyncio.create_task(_read_log(process, lines))
        since = None
        try:
            async with asyncio.timeout(self._backoff.start_timeout):
                url = await _wait_until_healthy(process)
            if url is not None:
                since = time.monotonic()
                self._announce(url)
            await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()  # a second signal could lose its status (cpython#127049)
        finally:
            self._forget(keep_port=since is not None)
            await self._stop(process)
            await asyncio.wait([logger], timeout=1)
            logger.cancel()
        served_s = 0.0 if since is None else time.monotonic() - since
        return served_s, f"{_exit_reason(process.returncode)}{_last_lines(lines)}"

    def _announce(self, url: str) -> None:
        self._url = url
        self._port = urlsplit(url).port or 0
        self._ready.set()

    def _forget(self, *, keep_port: bool) -> None:
        self._ready.clear()
        self._url = self._process = None
        if not keep_port:  # the port may belong to another process by now
            self._port = 0

    async def _stop(self, process: Process) -> None:
        """Terminate the child if it still runs, kill it after the grace period."""
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._backoff.grace)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _wait_until_healthy(process: Process) -> str | None:
    """The address that the child writes, once ``GET /health`` returns 200; None if it exits."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(READY):
            url = line.removeprefix(READY).decode().strip()
            while process.returncode is None:
                if await is_healthy(url):
                    return url
                await asyncio.sleep(HEALTH_POLL_S)
    return None


async def is_healthy(url: str) -> bool:
    """Whether ``GET /health`` returns status 200."""
    address = urlsplit(url)
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            try:
                writer.write(b"GET /health HTTP/1.0\r\nhost: localhost\r\n\r\n")
                status_line = await reader.readline()
            finally:  # a start that is given up cancels this while it waits
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split(b" ")[1:2] == [b"200"]


async def _read_log(process: Process, lines: deque[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        lines.append(line.decode(errors="replace").rstrip())


def _last_lines(lines: deque[str]) -> str:
    last = [line for line in lines if line][-3:]
    return f"; its last words: {' | '.join(last)}" if last else ""


def _exit_reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"


def _stopped() -> UpstreamUnreachable:
    return unavailable("it was stopped with the server")
