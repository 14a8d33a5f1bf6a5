"""Simulated clients: each sends one request, and may leave, or read slowly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headway.errors import ShuttingDown
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.ports import ResponseHeaders
from simulation.answers import MARK_BYTES
from simulation.dialects import Question, SimulatedDialect
from simulation.story import Story
from simulation.virtual_loop import VirtualLoop

BUFFER = 400
"""Unread bytes at which a slow client makes the gateway pause."""


@dataclass
class Behaviour:
    """What a client does besides asking."""

    arrives_at: float
    leaves_after: float | None = None
    """Seconds after its request."""
    reads_after: float | None = None
    """A slow client reads everything that was written this many seconds after its buffer was
    full."""


class SimulatedClient:
    """A ``ports.Sink``, which checks that the gateway keeps its contract."""

    def __init__(
        self,
        loop: VirtualLoop,
        story: Story,
        dialect: SimulatedDialect,
        question: Question,
        behaviour: Behaviour,
    ) -> None:
        self.loop = loop
        self.story = story
        self.dialect = dialect
        self.question = question
        self.behaviour = behaviour
        self.number = question.number
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.status: int | None = None
        self.headers: ResponseHeaders | None = None
        self.pieces: list[bytes] = []
        self.is_streamed = False
        """The status and headers came before the body."""
        self.state = "waiting"
        """Then ``asking``, ``reading``, and at last ``ended``, ``aborted`` or ``left``."""
        self.ended_at: float | None = None
        self.content_at: float | None = None
        """When the first text arrived."""
        self._unread = 0
        self._timer: Any = None

    # --- What it does -----------------------------------------------------------------------------

    def ask(self, gateway: Gateway) -> None:
        self.state = "asking"
        question = self.question
        self.story.tell(f"asks for {question.model} by {self.dialect.name}", self, _asked(question))
        dialect = self.dialect.streaming if question.is_stream else self.dialect.dialect
        request = self.dialect.ask(question)
        if self.behaviour.leaves_after is not None:
            self._timer = self.loop.call_later(self.behaviour.leaves_after, self.leave)
        GatewayCall(gateway, dialect, request, self, gateway.clock()).begin()

    def leave(self) -> None:
        if self.is_over:
            return
        self._end("left")
        if self.on_gone is not None:
            self.on_gone()

    def _read(self) -> None:
        if self.is_over:
            return
        self._unread = 0
        self.is_paused = False
        if self.on_resume is not None:
            self.on_resume()

    @property
    def is_over(self) -> bool:
        return self.state in ("ended", "aborted", "left")

    @property
    def had_comments(self) -> bool:
        """It got signs of life before any content, so that its headers say little."""
        return not MARK_BYTES.search(b"".join(self.pieces[:1])) and len(self.pieces) > 1

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    # --- Called by the gateway --------------------------------------------------------------------

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        if self._expects("asking", "a whole reply"):
            self.status, self.headers = status, headers
            self._keep(body)
            self._end("ended", status)

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        if self._expects("asking", "headers"):
            self.status, self.headers, self.is_streamed = status, headers, True
            self.state = "reading"
            self.story.tell("gets headers", self, status)

    def write(self, data: bytes) -> None:
        if self._expects("reading", "a piece"):
            self._keep(data)
            self._unread += len(data)
            slow = self.behaviour.reads_after
            if slow is not None and self._unread > BUFFER and not self.is_paused:
                self.is_paused = True
                self.loop.call_later(slow, self._read)
                if self.on_pause is not None:
                    self.on_pause()

    def end(self, data: bytes = b"") -> None:
        if self._expects("reading", "the end"):
            self._keep(data)
            self._end("ended", self.status)

    def abort(self) -> None:
        if self._expects("reading", "an abort"):
            self._end("aborted")

    # --- Inside -----------------------------------------------------------------------------------

    def _expects(self, state: str, what: str) -> bool:
        """What comes after the client has left is dropped, as the server's sinks do."""
        if self.state not in (state, "left"):
            self.story.violate(f"{what} for a client in the state {self.state!r}", self)
        return self.state == state

    def _keep(self, data: bytes) -> None:
        self.pieces.append(data)
        if self.content_at is None and MARK_BYTES.search(data):
            self.content_at = self.loop.now
            self.story.tell("gets content", self)

    def _end(self, state: str, detail: Any = None) -> None:
        self.state = state
        self.ended_at = self.loop.now
        if self._timer is not None:
            self._timer.cancel()
        self.story.tell(state, self, detail)


def _asked(question: Question) -> str:
    retries = f", {question.retries} retries" if question.retries else ""
    return ("stream" if question.is_stream else "whole") + retries


def active_calls(gateway: Gateway) -> list[GatewayCall]:
    """In an order that does not depend on addresses in memory."""
    calls = [call for call in gateway.active if isinstance(call, GatewayCall)]
    return sorted(calls, key=lambda call: call.id)


def abort_all(gateway: Gateway) -> None:
    """As the server does when it has waited long enough for its last requests."""
    for call in active_calls(gateway):
        call.abort(ShuttingDown("The gateway is shutting down."))
