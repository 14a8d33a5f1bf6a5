"""The socket's side: an asyncio protocol that is an ``Exchange``, for one sending at a time.

One object, since every read passes through both. Everything happens in the callback that brought
the bytes. Closing is always ``abort``: nothing that is unsent is worth waiting for, and a TLS
farewell would wait for the other side.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpParserUpgrade

from headway.errors import UpstreamDisconnected, UpstreamError
from headway.transport.exchange import Exchange, ReceiverFailed
from headway.transport.faults import refused_by_tls
from headway.transport.takers import NOBODY

if TYPE_CHECKING:
    from headway.transport.pool import Pool
    from headway.transport.sending import HttpSending


class Connection(Exchange, asyncio.Protocol):
    """One connection of a pool. ``expires_at`` holds while it is idle."""

    __slots__ = (
        "_is_reused",
        "_is_writing",
        "_pool",
        "_transport",
        "_write",
        "expires_at",
        "is_closed",
        "sent_at",
    )

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.limits, pool.host, pool.forwarder, pool.clock)
        self._pool = pool
        self._is_reused = self._is_writing = False
        self.is_closed = True  # until it is made
        self.expires_at = self.sent_at = 0.0

    # --- What the pool and the sending do ------------------------------------------------------

    @property
    def sending(self) -> HttpSending | None:
        """Whom it serves."""
        return self._sending

    def start(self, sending: HttpSending) -> None:
        """Send its request, now, in one write."""
        receiver = sending.receiver
        self._sending = sending
        sending.connection = self
        self.begin(receiver, sending.is_head)
        write, clock = self._write, self._clock
        write(sending.payload)
        now = self.sent_at = clock()
        if not self._is_writing:
            receiver.on_sent(now)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.has_head:
            self.now = self._clock()  # the silence while we did not listen was not theirs
        self._transport.resume_reading()

    def close(self) -> None:
        """Close the socket at once. Whoever was served here hears nothing more from it."""
        if not self.is_closed:
            self.is_closed = True
            self._sending = None
            self.receiver = NOBODY
            self._pool.forget(self)
            self._transport.abort()

    def abandon(self) -> None:
        """It was not made after all. It may have been for a moment: uvloop then calls no
        ``connection_lost`` if its making is cancelled right after."""
        self.close()
        self._pool.sockets.discard(self)
        self.part()

    # --- What the event loop calls, beside ``data_received`` -----------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_closed = False
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        # Any byte that the kernel does not take pauses us: so we know when a request is sent whole.
        self._transport.set_write_buffer_limits(0, 0)
        self._pool.sockets.add(self)
        self._pool.welcome(self)

    def pause_writing(self) -> None:
        self._is_writing = True

    def resume_writing(self) -> None:
        self._is_writing = False
        if self._sending is not None:
            now = self.sent_at = self._clock()
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
        self.part()

    # --- Ends ----------------------------------------------------------------------------------

    def _end_read(self) -> None:
        sending = self._sending
        if sending is None:
            self.close()  # bytes that nobody asked for, or wants any more
        elif not self.is_complete:
            self._check_silence()
        else:
            sending.is_over = True
            self._sending = None
            self.receiver = NOBODY
            self._silent = 0
            now = self.now
            # First it goes back, so that a request sent from ``on_end`` can have it.
            if self.is_reusable and not self._is_writing:
                if sending.is_paused:
                    self._transport.resume_reading()
                self._is_reused = True
                self._pool.release(self, now)
            else:
                self.close()
            sending.receiver.on_end(now)

    def _check_silence(self) -> None:
        try:
            super()._end_read()
        except UpstreamError as error:
            self._fail(error, self.now)

    def _misread(self, error: HttpParserError | HttpParserUpgrade) -> None:
        try:
            super()._misread(error)
        except UpstreamError as fault:
            self._fail(fault, self.now)
        except ReceiverFailed as failed:
            self._fail_receiver(failed, self.now)

    def _disconnected(self, error: Exception | None) -> None:
        sending = self._sending
        if sending is None:
            return
        now = self._clock()
        if self._is_reused and not self.has_bytes and not sending.was_retried:
            self._sending = None
            self.close()
            self._pool.retry(sending, now)
        elif error is None:
            self._end_input(now)
        else:
            self._fail(self._broken(error), now)

    def _end_input(self, now: float) -> None:
        try:
            is_end = self.end_input(now)
        except UpstreamError as error:
            self._fail(error, now)
            return
        if is_end:
            self._end_read()
        else:
            self._fail(self._broken(None), now)

    def _broken(self, error: Exception | None) -> UpstreamError:
        by_tls = refused_by_tls(error, self.host)
        if by_tls is not None:
            return by_tls
        when = "in the middle of its answer" if self.has_bytes else "before it answered"
        how = "closed the connection" if error is None else f"broke the connection ({error})"
        return UpstreamDisconnected(f"{self.host} {how} {when}", code="disconnected")

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
        text = f"the answer of {self.host} could not be processed: a defect of the gateway"
        self._fail(UpstreamError(text, code="receiver_failed", status=500), now)
