"""The transport of the echo provider: plays scripted responses, without a socket."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from headway.errors import UpstreamDisconnected, UpstreamTimeout
from headway.ports import ResponseReceiver, UpstreamRequest
from headway.providers.echo import respond
from headway.providers.echo_script import REPLY_ID, ScriptedResponse
from headway.types import Clock, HttpRequest, Timeouts

_ID_FIELD = b'"id":"%b"' % REPLY_ID.encode()
"""In each JSON object of a response; a text that contains it has backslashes."""


class EchoTransport:
    """A ``ports.Transport`` that produces the responses itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> UpstreamRequest:
        content_type = dict(request.headers).get("content-type", "")
        script = respond(request.body, request.url.path, content_type)
        return EchoResponse(script, timeouts, receiver, self._clock)

    async def close(self) -> None:
        """There is nothing to close."""


class EchoResponse:
    """One scripted response in progress. A ``ports.UpstreamRequest``."""

    def __init__(
        self, script: ScriptedResponse, timeouts: Timeouts, receiver: ResponseReceiver, clock: Clock
    ) -> None:
        self._script = script
        self._receiver: ResponseReceiver | None = receiver
        self._clock = clock
        self._timeouts = timeouts
        self._id_field = b'"id":"chatcmpl-%b"' % uuid4().hex.encode()
        self._next = 0
        self._is_paused = self._is_due = self._has_started = False
        self._loop = asyncio.get_running_loop()
        receiver.on_sent(clock())
        delay, callback = script.delay, self._respond
        if script.is_silent or delay > timeouts.first_byte:
            delay, callback = timeouts.first_byte, self._time_out
        self._timer = self._loop.call_later(delay, callback)

    def cancel(self) -> None:
        self._receiver = None
        self._timer.cancel()

    finish = cancel

    def pause(self) -> None:
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        if self._is_due:
            self._is_due = False
            self._step()

    def _respond(self) -> None:
        if self._receiver is not None:
            self._has_started = True
            self._receiver.on_response(self._script.status, self._script.headers, self._clock())
            self._wait_for_step()

    def _wait_for_step(self) -> None:
        if self._receiver is None:
            return
        if self._next < len(self._script.chunks):
            self._wait(self._script.chunks[self._next].delay)
        elif self._script.ends:
            self._finish()
        else:
            self._timer = self._loop.call_later(self._timeouts.idle, self._time_out)

    def _wait(self, delay: float) -> None:
        if delay > self._timeouts.idle:
            self._timer = self._loop.call_later(self._timeouts.idle, self._time_out)
        elif delay > 0:
            self._timer = self._loop.call_later(delay, self._step)
        else:
            self._timer = self._loop.call_soon(self._step)  # type: ignore[assignment]

    def _step(self) -> None:
        if self._is_paused:
            self._is_due = True
            return
        receiver, chunk = self._receiver, self._script.chunks[self._next]
        self._next += 1
        if receiver is None:
            return
        if chunk.data is None:
            self._receiver = None
            error = UpstreamDisconnected("scripted: the connection broke before the answer's end.")
            receiver.on_error(error, self._clock())
            return
        receiver.on_chunk(chunk.data.replace(_ID_FIELD, self._id_field, 1), self._clock())
        self._wait_for_step()

    def _finish(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.on_end(self._clock())

    def _time_out(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            which = "idle" if self._has_started else "first_byte"
            seconds = getattr(self._timeouts, which)
            message = f"scripted: nothing came for {seconds:g} s ({which} timeout)."
            receiver.on_error(UpstreamTimeout(message, code=f"{which}_timeout"), self._clock())
