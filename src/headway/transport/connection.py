"""One connection to an upstream: an asyncio protocol that parses responses, one request at a time.

It inherits from ``ResponseParser`` since every read passes through both. Everything happens in the
callback that read the bytes. Closing is always ``abort``: unsent bytes are discarded.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade

from headway.errors import UpstreamDisconnected, UpstreamError
from headway.transport.connect_errors import tls_alert_error
from headway.transport.connection_registry import ConnectionRegistry
from headway.transport.limits import Limits
from headway.transport.pending_request import PendingRequest
from headway.transport.receivers import NULL_RECEIVER
from headway.transport.response_parser import ReceiverFailed, ResponseParser
from headway.types import Clock


class ConnectionOwner(Protocol):
    """The interface of a pool for its connections."""

    host: str
    forwarding_proxy: str | None
    limits: Limits
    clock: Clock
    registry: ConnectionRegistry

    def on_connected(self, connection: Connection) -> None: ...

    def release(self, connection: Connection, now: float) -> None: ...

    def remove(self, connection: Connection) -> None: ...

    def retry(self, request: PendingRequest, now: float) -> None: ...


class Connection(ResponseParser, asyncio.Protocol):
    """``expires_at`` is valid while the connection is idle."""

    __slots__ = (
        "_is_reused",
        "_is_writing",
        "_owner",
        "_transport",
        "_write",
        "expires_at",
        "is_closed",
        "sent_at",
    )

    _request: PendingRequest | None

    def __init__(self, owner: ConnectionOwner) -> None:
        super().__init__(owner.limits, owner.host, owner.forwarding_proxy, owner.clock)
        self._owner = owner
        self._is_reused = self._is_writing = False
        self.is_closed = True  # until it is connected
        self.expires_at = self.sent_at = 0.0

    # --- Called by the pool and the request ----------------------------------------------------

    @property
    def request(self) -> PendingRequest | None:
        """The current request."""
        return self._request

    def send(self, request: PendingRequest) -> None:
        """Write the complete request in this call."""
        receiver = request.receiver
        self._request = request
        request.connection = self
        self.begin(receiver, request.is_head)
        write, clock = self._write, self._clock
        write(request.payload)
        now = self.sent_at = clock()
        if not self._is_writing:
            receiver.on_sent(now)

    def write(self, data: bytes) -> bool:
        """Send more, after a switch of protocols. Whether all of it was written to the socket."""
        self.now = self._clock()
        self._write(data)
        return not self._is_writing

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.has_head:
            self.now = self._clock()  # time during which nothing was read does not count as idle
        self._transport.resume_reading()

    def close(self) -> None:
        """Close the socket at once. The request that was served gets no further calls."""
        if not self.is_closed:
            self.is_closed = True
            self._request = None
            self.receiver = NULL_RECEIVER
            self._owner.remove(self)
            self._transport.abort()

    def give_up(self) -> None:
        """Connecting failed. The transport may have been made for a moment: if its making is
        cancelled right then, uvloop does not call ``connection_lost``."""
        self.close()
        self._owner.registry.discard(self)
        self.release_parser()

    # --- Called by the event loop, apart from ``data_received`` --------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_closed = False
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        # Any byte that the kernel does not take calls pause_writing: that is how we know when a
        # request has been sent whole.
        self._transport.set_write_buffer_limits(0, 0)
        self._owner.registry.add(self)
        self._owner.on_connected(self)

    def pause_writing(self) -> None:
        self._is_writing = True

    def resume_writing(self) -> None:
        self._is_writing = False
        if self._request is not None:
            now = self.sent_at = self._clock()
            self._request.receiver.on_sent(now)

    def eof_received(self) -> None:
        """Close a half-closed connection: the upstream sends nothing more."""
        self._on_disconnect(None)
        self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        self._owner.remove(self)
        self._owner.registry.discard(self)
        self._on_disconnect(error)
        self.release_parser()

    # --- The end of a response -----------------------------------------------------------------

    def _on_read_without_body(self) -> None:
        request = self._request
        if request is None:
            self.close()  # bytes without a request, or of a cancelled one
        elif not self.is_complete:
            self._check_head_size()
        else:
            request.is_over = True
            self._request = None
            self.receiver = NULL_RECEIVER
            self._bytes_without_body = 0
            now = self.now
            # The connection is released first, so that a request sent from ``on_end`` can use it.
            if self.is_reusable and not self._is_writing:
                if request.is_paused:
                    self._transport.resume_reading()
                self._is_reused = True
                self._owner.release(self, now)
            else:
                self.close()
            try:
                request.receiver.on_end(now)
            except Exception as error:
                self._report_defect(error)
                request.receiver.on_error(self._defect_error(), now)

    def _check_head_size(self) -> None:
        try:
            super()._on_read_without_body()
        except UpstreamError as error:
            self._fail(error, self.now)

    def _on_parser_error(self, error: HttpParserError | HttpParserUpgrade) -> None:
        try:
            super()._on_parser_error(error)
        except UpstreamError as upstream_error:
            self._fail(upstream_error, self.now)
        except ReceiverFailed as failed:
            self._fail_receiver(failed, self.now)

    def _on_disconnect(self, error: Exception | None) -> None:
        request = self._request
        if request is None:
            return
        now = self._clock()
        if self._is_reused and not self.has_bytes and not request.was_retried:
            self._request = None
            self.close()
            self._owner.retry(request, now)
        elif error is None:
            self._on_end_of_input(now)
        else:
            self._fail(self._disconnect_error(error), now)

    def _on_end_of_input(self, now: float) -> None:
        try:
            is_complete = self.end_input(now)
        except UpstreamError as error:
            self._fail(error, now)
            return
        if is_complete:
            self._on_read_without_body()
        else:
            self._fail(self._disconnect_error(None), now)

    def _disconnect_error(self, error: Exception | None) -> UpstreamError:
        alert = tls_alert_error(error, self.host)
        if alert is not None:
            return alert
        when = "in the middle of its answer" if self.has_bytes else "before it answered"
        how = "closed the connection" if error is None else f"broke the connection ({error})"
        return UpstreamDisconnected(f"{self.host} {how} {when}", code="disconnected")

    def _fail(self, error: UpstreamError, now: float) -> None:
        request, self._request = self._request, None
        self.close()
        if request is not None:
            request.fail(error, now)

    def _fail_receiver(self, failed: ReceiverFailed, now: float) -> None:
        """A defect in a receiver: log its traceback, and fail the request."""
        self._report_defect(failed.__cause__)
        self._fail(self._defect_error(), now)

    def _report_defect(self, error: BaseException | None) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a receiver raised while it took an answer", "exception": error}
        )

    def _defect_error(self) -> UpstreamError:
        text = f"the answer of {self.host} could not be processed: a defect of the gateway"
        return UpstreamError(text, code="receiver_failed")
