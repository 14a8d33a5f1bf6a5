"""One request under way: what its caller holds, and what its deadlines are reckoned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from headway.errors import UpstreamError, UpstreamTimeout
from headway.ports import ResponseReceiver
from headway.transport.takers import NOBODY
from headway.types import Timeouts

if TYPE_CHECKING:
    from headway.transport.connection import Connection
    from headway.transport.pool import Pool

DRAINED = "drained"


class HttpSending(Struct, eq=False):
    """A ``ports.Sending``. It waits (no connection), is sent (a connection), and is over. A struct,
    for one is made for each request and this makes it without a line of Python."""

    pool: Pool
    payload: bytes
    """The request as it is written. Kept until the answer begins: it may go out once more."""
    is_head: bool
    timeouts: Timeouts
    receiver: ResponseReceiver
    started: float
    connection: Connection | None = None
    check_at: float = 0.0
    """No deadline can pass before this."""
    drain_until: float | None = None
    waiting_since: float | None = None
    """None: from the start."""
    is_over: bool = False
    is_paused: bool = False
    was_retried: bool = False

    # --- What the caller may do ----------------------------------------------------------------

    def cancel(self) -> None:
        if self.is_over:
            return
        connection = self.connection
        self.end()
        if connection is None:
            self.pool.withdraw(self)
        else:
            connection.close()

    def finish(self) -> None:
        if self.is_over:
            return
        if self.connection is None:
            self.cancel()
            return
        self.receiver = NOBODY
        self.connection.discard()
        self.drain_until = self.pool.clock() + self.pool.limits.drain_s
        self.check_at = 0.0
        self.resume()

    def pause(self) -> None:
        if not (self.is_over or self.is_paused):
            self.is_paused = True
            if self.connection is not None:
                self.connection.pause_reading()

    def resume(self) -> None:
        if self.is_paused and not self.is_over:
            self.is_paused = False
            self.check_at = 0.0
            if self.connection is not None:
                self.connection.resume_reading()

    # --- What the transport does ---------------------------------------------------------------

    def end(self) -> None:
        """Nothing more happens to it."""
        self.is_over = True
        self.connection = None
        self.payload = b""

    def fail(self, error: UpstreamError, now: float) -> None:
        receiver = self.receiver
        self.end()
        receiver.on_error(error, now)

    def check(self, now: float) -> str | None:
        """The code of the deadline that has passed. If none has, ``check_at`` is moved to the
        next moment at which one could, whatever happens in between: once the head is there,
        the idle timeout begins, which may be shorter than what was waited for before it."""
        due, code = self._due()
        if due <= now:
            return code
        shortest = min(self.timeouts.first_byte, self.timeouts.idle)
        self.check_at = min(due, now + shortest)
        return None

    def _due(self) -> tuple[float, str]:
        timeouts = self.timeouts
        total = (self.started + timeouts.total, "total_timeout")
        if self.drain_until is not None:
            return self.drain_until, DRAINED
        connection = self.connection
        if connection is None:
            since = self.started if self.waiting_since is None else self.waiting_since
            return min(total, (since + timeouts.connect, "connect_timeout"))
        if self.is_paused:
            return total
        if not connection.has_head:
            return min(total, (connection.sent_at + timeouts.first_byte, "first_byte_timeout"))
        return min(total, (connection.now + timeouts.idle, "idle_timeout"))

    def time_out(self, code: str, now: float) -> None:
        connection = self.connection
        error = self._timeout(code)
        if connection is None:
            self.pool.withdraw(self, is_stuck=True)
        else:
            connection.close()
        self.fail(error, now)

    def _timeout(self, code: str) -> UpstreamTimeout:
        pool, seconds = self.pool, self.timeouts
        host = pool.host
        if code == "connect_timeout" and pool.is_exhausted():
            text = (
                f"connection pool exhausted: all {pool.limits.connections} connections to {host}"
                f" stayed in use for {seconds.connect:g} s"
            )
        else:
            text = TIMEOUT_TEXTS[code].format(host=host, t=seconds)
        return UpstreamTimeout(text, code=code)


TIMEOUT_TEXTS = {
    "connect_timeout": "no connection to {host} within {t.connect:g} s; check base_url, network and"
    " proxy",
    "first_byte_timeout": "{host} did not begin to answer within {t.first_byte:g} s",
    "idle_timeout": "{host} fell silent in the middle of its answer for {t.idle:g} s",
    "total_timeout": "the answer of {host} was not complete within {t.total:g} s",
    DRAINED: "the rest of the answer of {host} did not come",
}
