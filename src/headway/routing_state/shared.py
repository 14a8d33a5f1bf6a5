"""The state of routing of one server's workers, which tell each other what they find broken.

Each worker binds a Unix datagram socket in a directory of the run, and sends what it observes to
all others there: cool-downs of targets and keys, and which attempt is the probe. Nothing waits for
it, and it may be lost: where the queue of a worker is full, or it has just started. Then that
worker finds out by itself, at the price of the few requests that a breaker takes to open. Times are
sent as durations, so no two clocks are compared.

What is not shared is counted by each worker for its own share of the requests: attempts under way,
latencies, budgets (whose floors there are as many of as workers).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from headway.routing.breaker import BreakerRule
from headway.routing_state.memory import Change, MemoryRoutingState

log = logging.getLogger("headway")
MAX_BYTES = 4096
"""Of a message; a longer one is not sent."""
MAX_READ = 64
"""Messages that are read at once, before the event loop does other things."""
MAX_CHANGES = 256
"""Cool-downs that a worker is told when it starts."""
SUFFIX = ".sock"
Message = tuple[str, Change | None]
"""The sender's name, and what it observed; nothing: it has started, and asks what is known."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


class SharedRoutingState(MemoryRoutingState):
    """Create it inside the event loop. ``close`` it at the end."""

    def __init__(
        self,
        directory: Path,
        clock: Callable[[], float],
        rule: BreakerRule = BreakerRule(),  # noqa: B008 - frozen
        retry_share: float = 0.1,
    ) -> None:
        """``directory`` exists; the workers of the server share it with nobody else. Raises
        OSError."""
        super().__init__(rule, retry_share, self._send_change)
        self._directory = directory
        self._clock = clock
        self._name = f"{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(str(directory / self._name))
        except OSError:
            self._socket.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._receive)
        self._send_to_all((self._name, None))

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        (self._directory / self._name).unlink(missing_ok=True)

    # --- Send -------------------------------------------------------------------------------------

    def _send_change(self, change: Change) -> None:
        self._send_to_all((self._name, change))

    def _send_to_all(self, message: Message) -> None:
        data = _encode(message)
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:  # the server is being stopped
            return
        for name in names:
            if name != self._name and name.endswith(SUFFIX):
                self._send(data, name)

    def _send(self, data: bytes, name: str) -> None:
        path = self._directory / name
        if len(data) > MAX_BYTES or self._socket.fileno() < 0:
            return
        try:
            self._socket.sendto(data, str(path))
        except ConnectionRefusedError:  # its worker has died
            path.unlink(missing_ok=True)
        except OSError:  # its queue is full, or it has just been closed
            log.debug("another worker could not be told of a cool-down", exc_info=True)

    # --- Receive ----------------------------------------------------------------------------------

    def _receive(self) -> None:
        for _ in range(MAX_READ):
            try:
                data = self._socket.recv(MAX_BYTES)
            except OSError:  # there is no more
                return
            try:
                sender, change = _decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if change is not None:
                self.apply(change, self._clock())
            else:
                self._send_known(sender)

    def _send_known(self, name: str) -> None:
        """To a worker that has just started."""
        if Path(name).name != name:
            return
        for change in self.open_changes(self._clock())[:MAX_CHANGES]:
            self._send(_encode((self._name, change)), name)
