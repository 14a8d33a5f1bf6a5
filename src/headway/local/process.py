"""One run of a child server, from its start to its last byte.

Threads and ``subprocess`` rather than an event loop's own child watching: that differs between
loops, and the kernel's promise to kill the child is bound to the *thread* that started it
(prctl(2), PR_SET_PDEATHSIG), so whoever runs this must stay until the child is gone.
"""

from __future__ import annotations

import http.client
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

READY = b"READY "
LOG_LINES = 40
HEALTH_TIMEOUT_S = 5.0
HEALTH_POLL_S = 0.05


class ChildProcess:
    """Started by its constructor, in a session of its own: Ctrl-C is for the parent alone, which
    lets running answers finish first. Raises OSError if it cannot be started."""

    def __init__(self, command: Sequence[str]) -> None:
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._process = subprocess.Popen(  # noqa: S603 - an argument list of ours, and no shell
            command,
            stdin=subprocess.PIPE,  # never written to: its end tells the child that we are gone
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._logger = threading.Thread(target=self._keep_log, daemon=True, name="local-model-log")
        self._logger.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, on_ready: Callable[[str], None], start_timeout_s: float) -> str:
        """Block until the child is gone; say how it went, with the last lines of its log.
        ``on_ready`` is called once with its address, if it came to answer ``/health``."""
        assert self._process.stdout is not None
        alarm = threading.Timer(start_timeout_s, self.kill)
        alarm.daemon = True
        alarm.start()
        for line in self._process.stdout:
            if line.startswith(READY) and self._answers(url := line[len(READY) :].decode().strip()):
                alarm.cancel()
                on_ready(url)
        code = self._process.wait()
        alarm.cancel()
        self._logger.join(1)
        self._close()
        return f"{_ending(code)}{self._said()}"

    def terminate(self, grace_s: float) -> None:
        """Ask it to go, and after ``grace_s`` make it."""
        self._process.terminate()
        alarm = threading.Timer(grace_s, self.kill)
        alarm.daemon = True
        alarm.start()

    def kill(self) -> None:
        self._process.kill()

    def _answers(self, url: str) -> bool:
        while self.is_alive:
            if is_healthy(url):
                return True
            time.sleep(HEALTH_POLL_S)
        return False

    def _keep_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line.decode(errors="replace").rstrip())

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _said(self) -> str:
        last = [line for line in self.log if line][-3:]
        return f"; its last words: {' | '.join(last)}" if last else ""


def is_healthy(url: str) -> bool:
    """Whether ``GET /health`` answers 200."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=HEALTH_TIMEOUT_S
    )
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ending(code: int) -> str:
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
