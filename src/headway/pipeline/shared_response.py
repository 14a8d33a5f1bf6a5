"""One response of a provider that several calls read.

    shared = SharedResponse()
    reader = shared.join(attempt)              # an ``UpstreamRequest``
    shared.bind(transport.send(http_request, timeouts, shared))
    ...
    other = shared.join(another_attempt)       # at any time before the end
    other.start(now)

Each reader has all of the response, from its beginning, at its own pace: one that pauses delays no
other one, and the provider is paused only while all readers are. The provider's connection is
closed when the last reader has left.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from headway.errors import UpstreamError
from headway.ports import ResponseReceiver, UpstreamRequest
from headway.types import Clock, Headers


class SharedResponse:
    """A ``ports.ResponseReceiver``. ``limit`` is in bytes: of a longer response only what a reader
    has not read yet is held, so that nobody can join, and nothing is kept. ``on_started`` is called
    once it can be joined."""

    def __init__(
        self, clock: Clock, limit: float = inf, on_started: Callable[[], None] | None = None
    ) -> None:
        self.clock = clock
        self._on_started = on_started
        self.status = 0
        self.headers: Headers = ()
        self.responded = 0.0
        self.pieces: list[bytes] = []
        self.times: list[float] = []
        self.is_complete = False
        """The body came to its end."""
        self.is_whole = True
        """``pieces`` has the response from its beginning."""
        self.error: UpstreamError | None = None
        self._dropped = 0
        """How many pieces were before ``pieces``."""
        self._limit = limit
        self._size = 0
        self._readers: list[ResponseReader] = []
        self._request: UpstreamRequest | None = None
        self._is_abandoned = False
        """The last reader left before anybody had the end, and nothing more comes."""
        self._has_end = False
        """``pieces`` has all that a reader needs."""
        self._is_paused = False

    @property
    def can_be_joined(self) -> bool:
        """A successful response has begun, all of it is here, and the rest is to come."""
        if self.error is not None or self._is_abandoned:
            return False
        return 200 <= self.status < 300 and bool(self.pieces) and self.is_whole

    @property
    def reader_count(self) -> int:
        return len(self._readers)

    @property
    def end(self) -> int:
        """The number of pieces so far."""
        return self._dropped + len(self.pieces)

    def piece(self, position: int) -> tuple[bytes, float]:
        """With the time when it arrived."""
        at = position - self._dropped
        return self.pieces[at], self.times[at]

    def join(self, receiver: ResponseReceiver) -> ResponseReader:
        """Where the response has begun, call ``start`` of the reader next."""
        reader = ResponseReader(self, receiver)
        self._readers.append(reader)
        return reader

    def bind(self, request: UpstreamRequest) -> None:
        """``request`` is what ``Transport.send`` returned for this receiver."""
        self._request = request
        if not self._readers:
            self._release(is_cancelled=True)

    # --- Called by the transport ------------------------------------------------------------------

    def on_sent(self, now: float) -> None:
        for reader in tuple(self._readers):
            reader.receiver.on_sent(now)

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.status, self.headers, self.responded = status, tuple(headers), now
        self._deliver(now)

    def on_chunk(self, data: bytes, now: float) -> None:
        self.pieces.append(data)
        self.times.append(now)
        self._size += len(data)
        self.is_whole = self._size <= self._limit
        on_started, self._on_started = self._on_started, None
        if on_started is not None and self.can_be_joined:
            on_started()
        self._deliver(now)
        if not self.is_whole:
            self._drop()

    def on_end(self, now: float) -> None:
        self.is_complete = True
        self._deliver(now)

    def on_error(self, error: UpstreamError, now: float) -> None:
        self.error = error
        self._deliver(now)

    # --- Called by readers ------------------------------------------------------------------------

    def leave(self, reader: ResponseReader, *, is_cancelled: bool) -> None:
        if reader in self._readers:
            self._readers.remove(reader)
        self._has_end = self._has_end or not is_cancelled
        if not self._readers:
            self._release(is_cancelled=is_cancelled)
        else:
            self.balance()

    def balance(self) -> None:
        """Pause the provider while every reader is paused."""
        if self.is_complete or self.error is not None:
            return
        is_paused = all(reader.is_paused for reader in self._readers)
        if is_paused == self._is_paused or self._request is None:
            return
        self._is_paused = is_paused
        if is_paused:
            self._request.pause()
        else:
            self._request.resume()

    # --- Inside -----------------------------------------------------------------------------------

    def _deliver(self, now: float) -> None:
        for reader in tuple(self._readers):
            reader.advance(now)

    def _drop(self) -> None:
        """Forget what all readers have."""
        needed = min((reader.position for reader in self._readers), default=self.end)
        count = needed - self._dropped
        if count > 0:
            del self.pieces[:count], self.times[:count]
            self._dropped = needed

    def _release(self, *, is_cancelled: bool) -> None:
        self._is_abandoned = not (self._has_end or self.is_complete)
        request, self._request = self._request, None
        if request is None:
            return
        if is_cancelled:
            request.cancel()
        else:
            request.finish()


class ResponseReader:
    """One reader of a ``SharedResponse``: an ``UpstreamRequest`` for ``receiver``."""

    def __init__(self, shared: SharedResponse, receiver: ResponseReceiver) -> None:
        self.receiver = receiver
        self.is_paused = False
        self.position = 0
        """The number of pieces that the receiver has."""
        self._shared = shared
        self._has_head = False
        self._is_over = False
        self._is_advancing = False

    def start(self, now: float) -> None:
        """Give the receiver what there is already."""
        self.receiver.on_sent(now)
        self.advance(now)

    def advance(self, now: float) -> None:
        """Give the receiver what it does not have yet. ``now`` is the time for it."""
        if self._is_advancing:
            return  # the loop below will see what is new
        self._is_advancing = True
        try:
            self._advance(now)
        finally:
            self._is_advancing = False

    def _advance(self, now: float) -> None:
        shared = self._shared
        if shared.status and not self._has_head:
            self._has_head = True
            self.receiver.on_response(shared.status, shared.headers, now)
        while not (self._is_over or self.is_paused) and self.position < shared.end:
            data, _ = shared.piece(self.position)
            self.position += 1
            self.receiver.on_chunk(data, now)
        if self._is_over or self.position < shared.end:
            return
        if shared.error is not None:
            self._is_over = True
            self.receiver.on_error(shared.error, now)
            shared.leave(self, is_cancelled=True)
        elif shared.is_complete:
            self._is_over = True
            self.receiver.on_end(now)
            shared.leave(self, is_cancelled=False)

    # --- An ``UpstreamRequest`` -------------------------------------------------------------------

    def cancel(self) -> None:
        self._leave(is_cancelled=True)

    def finish(self) -> None:
        self._leave(is_cancelled=False)

    def pause(self) -> None:
        if not (self.is_paused or self._is_over):
            self.is_paused = True
            self._shared.balance()

    def resume(self) -> None:
        if self.is_paused:
            self.is_paused = False
            self._shared.balance()
            self.advance(self._shared.clock())

    def _leave(self, *, is_cancelled: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._shared.leave(self, is_cancelled=is_cancelled)
