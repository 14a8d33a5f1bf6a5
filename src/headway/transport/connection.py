"""The socket's side: an asyncio protocol that feeds one ``Exchange``, one sending at a time.

Everything happens in the callback that brought the bytes. Closing is always ``abort``: nothing that
is unsent is worth waiting for, and a TLS farewell would wait for the other side.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from headway.errors import UpstreamDisconnected, UpstreamError
from headway.transport.exchange import NOBODY, Exchange, ReceiverFailed
from headway.transport.faults import refused_by_tls

if TYPE_CHECKING:
    from headway.transport.pool import Pool
    from headway.transport.sending import HttpSending


class Connection(asyncio.Protocol):
    """One connection of a pool. ``expires_at`` holds while it is idle."""

    __slots__ = (
        "_clock",
        "_is_reused",
        "_is_writing",
        "_pool",
        "_sending",
        "_transport",
        "_write",
        "exchange",
        "expires_at",
        "is_closed",
    )

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._is_reused = self._is_writing = False
        self.is_closed = True  # until it is made
        self._sending: HttpSending | None = None
        self.exchange = Exchange(pool.limits, pool.host, pool.forwarder)
        self.expires_at = 0.0

    # --- What the pool and the sending do ------------------------------------------------------

    def start(self, sending: HttpSending) -> None:
        """Send its request, now, in one write."""
        self._sending = sending
        sending.connection = self
        self.exchange.begin(sending.receiver, sending.is_head)
        if sending.is_paused:
            self._transport.pause_reading()
        self._write(sending.payload)
        now = sending.sent_at = self._clock()
        if not self._is_writing:
            sending.receiver.on_sent(now)

    def discard(self) -> None:
        self.exchange.discard()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self.exchange.now = self._clock()  # the silence while we did not listen was not theirs
        self._transport.resume_reading()

    def close(self) -> None:
        """Close the socket at once. Whoever was served here hears nothing more from it."""
        if not self.is_closed:
            self.is_closed = True
            self._sending = None
            self.exchange.receiver = NOBODY
            self._pool.forget(self)
            self._transport.abort()

    def abandon(self) -> None:
        """It was not made after all. It may have been for a moment: uvloop then calls no
        ``connection_lost`` if its making is cancelled right after."""
        self.close()
        self._pool.sockets.discard(self)

    # --- What the event loop calls -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_closed = False
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        # Any byte that the kernel does not take pauses us: so we know when a request is sent whole.
        self._transport.set_write_buffer_limits(*self._pool.water_marks)
        self._pool.sockets.add(self)

    def data_received(self, data: bytes) -> None:
        sending = self._sending
        if sending is None:
            self.close()  # bytes that nobody asked for
            return
        now = self._clock()
        exchange = self.exchange
        if not exchange.has_bytes:
            sending.payload = b""
        try:
            exchange.feed(data, now)
        except UpstreamError as error:
            self._fail(error, now)
        except ReceiverFailed as error:
            self._fail_receiver(error, now)
        else:
            if exchange.is_complete and self._sending is sending:
                self._complete(sending, now)

    def pause_writing(self) -> None:
        self._is_writing = True

    def resume_writing(self) -> None:
        self._is_writing = False
        if self._sending is not None:
            now = self._sending.sent_at = self._clock()
            self._sending.receiver.on_sent(now)

    def eof_received(self) -> None:
        """Half a close is a close: nothing can come that we wait for."""
        self._disconnected(None)
        self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        self._pool.forget(self)
        self._pool.sockets.discard(self)
        self._disconnected(error)
        self.exchange.close()

    # --- Ends ----------------------------------------------------------------------------------

    def _complete(self, sending: HttpSending, now: float) -> None:
        """The connection goes back first, so that a request sent from ``on_end`` can have it."""
        receiver = sending.receiver
        was_paused = sending.is_paused
        sending.end()
        self._sending = None
        if self.exchange.is_reusable and not self._is_writing:
            if was_paused:
                self._transport.resume_reading()
            self._is_reused = True
            self._pool.release(self, now)
        else:
            self.close()
        receiver.on_end(now)

    def _disconnected(self, error: Exception | None) -> None:
        sending = self._sending
        if sending is None:
            return
        now = self._clock()
        if self._is_reused and not self.exchange.has_bytes and not sending.was_retried:
            self._sending = None
            self.close()
            self._pool.retry(sending, now)
        elif error is None:
            self._end_input(sending, now)
        else:
            self._fail(self._broken(error), now)

    def _end_input(self, sending: HttpSending, now: float) -> None:
        try:
            is_end = self.exchange.end_input(now)
        except UpstreamError as error:
            self._fail(error, now)
            return
        if is_end:
            self._complete(sending, now)
        else:
            self._fail(self._broken(None), now)

    def _broken(self, error: Exception | None) -> UpstreamError:
        by_tls = refused_by_tls(error, self._pool.host)
        if by_tls is not None:
            return by_tls
        when = "in the middle of its answer" if self.exchange.has_bytes else "before it answered"
        how = "closed the connection" if error is None else f"broke the connection ({error})"
        return UpstreamDisconnected(f"{self._pool.host} {how} {when}", code="disconnected")

    def _fail(self, error: UpstreamError, now: float) -> None:
        sending, self._sending = self._sending, None
        self.close()
        if sending is not None:
            sending.fail(error, now)

    def _fail_receiver(self, failed: ReceiverFailed, now: float) -> None:
        """A defect of ours: the log gets the traceback, the caller an end."""
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a receiver raised while it took an answer", "exception": failed.__cause__}
        )
        text = f"the answer of {self._pool.host} could not be processed: a defect of the gateway"
        self._fail(UpstreamError(text, code="receiver_failed", status=500), now)
