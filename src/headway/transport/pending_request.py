"""One request in progress: the handle that the caller holds, and the request's timeouts."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from headway.errors import UpstreamError, UpstreamTimeout
from headway.ports import ResponseReceiver
from headway.transport.limits import Limits
from headway.transport.receivers import NULL_RECEIVER
from headway.types import Clock, Timeouts

DRAIN_TIMEOUT = "drained"
"""Code of the timeout for draining an unwanted body."""


class RequestOwner(Protocol):
    """The interface of a pool for its requests."""

    host: str
    limits: Limits
    clock: Clock

    def cancel_waiting(self, request: PendingRequest, is_stuck: bool = False) -> None: ...

    def is_exhausted(self) -> bool: ...


class RequestConnection(Protocol):
    """The interface of a connection for the request that it serves."""

    has_head: bool
    sent_at: float
    now: float

    def close(self) -> None: ...

    def write(self, data: bytes) -> bool: ...

    def discard_body(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class PendingRequest(Struct, eq=False):
    """A ``ports.Tunnel``. Its states: waiting (no connection), sent (a connection), ended.
    A struct, since one is made for every request and its constructor runs no Python."""

    owner: RequestOwner
    payload: bytes
    """The bytes of the request. Kept until the response begins, because it may be sent a second
    time.
    """
    is_head: bool
    """The method is HEAD."""
    timeouts: Timeouts
    receiver: ResponseReceiver
    started: float
    connection: RequestConnection | None = None
    check_at: float = 0.0
    """No timeout can expire before this time."""
    drain_until: float | None = None
    waiting_since: float | None = None
    """None: since ``started``."""
    is_over: bool = False
    is_paused: bool = False
    was_retried: bool = False

    # --- Called by the caller, see ``ports.UpstreamRequest`` -----------------------------------

    def cancel(self) -> None:
        if self.is_over:
            return
        connection = self.connection
        self.end()
        if connection is None:
            self.owner.cancel_waiting(self)
        else:
            connection.close()

    def finish(self) -> None:
        if self.is_over:
            return
        if self.connection is None:
            self.cancel()
            return
        self.receiver = NULL_RECEIVER
        self.connection.discard_body()
        self.drain_until = self.owner.clock() + self.owner.limits.drain_s
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

    def write(self, data: bytes) -> bool:
        if self.is_over or self.connection is None:
            return True
        return self.connection.write(data)

    # --- Called by the transport ---------------------------------------------------------------

    def end(self) -> None:
        """Mark it as ended, and drop its references."""
        self.is_over = True
        self.connection = None
        self.payload = b""

    def fail(self, error: UpstreamError, now: float) -> None:
        """End it and report ``error`` to the receiver."""
        receiver = self.receiver
        self.end()
        receiver.on_error(error, now)

    def find_timeout(self, now: float) -> str | None:
        """The code of the timeout that has expired. If none has, move ``check_at`` to the next time
        at which one could, whatever happens until then: the idle timeout begins when the response
        does, and may be shorter than the timeout that is running now."""
        due, code = self._next_timeout()
        if due <= now:
            return code
        shortest = min(self.timeouts.first_byte, self.timeouts.idle)
        self.check_at = min(due, now + shortest)
        return None

    def _next_timeout(self) -> tuple[float, str]:
        """The next timeout: its time and its code."""
        timeouts = self.timeouts
        total = (self.started + timeouts.total, "total_timeout")
        if self.drain_until is not None:
            return self.drain_until, DRAIN_TIMEOUT
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
        """Close its connection, or stop waiting for one, and fail it."""
        connection = self.connection
        error = self._timeout_error(code)
        if connection is None:
            self.owner.cancel_waiting(self, is_stuck=True)
        else:
            connection.close()
        self.fail(error, now)

    def _timeout_error(self, code: str) -> UpstreamTimeout:
        owner, seconds = self.owner, self.timeouts
        host = owner.host
        if code == "connect_timeout" and owner.is_exhausted():
            text = (
                f"connection pool exhausted: all {owner.limits.connections} connections to {host}"
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
    DRAIN_TIMEOUT: "the rest of the answer of {host} did not come",
}
