"""Simulated providers, and the ``ports.Transport`` that leads to them.

It keeps the contract of the real transport: nothing but ``on_sent`` is called from inside ``send``,
nothing after the end, nothing after ``cancel``, and the same timeouts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from headway.errors import UpstreamDisconnected, UpstreamError, UpstreamTimeout
from headway.ports import ResponseReceiver
from headway.types import HttpRequest, Timeouts
from simulation.answers import SSE, Asked, WireFormat
from simulation.faults import FAULTS, Episode, Pace, Plan, healthy_plan
from simulation.story import Story
from simulation.virtual_loop import VirtualLoop


class AskedBody(Struct):
    """What is read of a request's body."""

    model: str = ""
    stream: bool = False
    stream_options: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(AskedBody).decode


class Delivered(NamedTuple):
    """What of an answer the gateway could read."""

    texts: int
    has_input: bool
    has_output: bool
    finished: bool


SHADOW = -1
"""In place of a client, of a copy whose answer nobody sees."""
NOTHING = Delivered(0, False, False, False)


@dataclass
class SimulatedProvider:
    """One provider: how fast it is, and what goes wrong with it."""

    name: str
    wire: WireFormat
    pace: Pace
    rng: Random
    texts: tuple[int, int] = (1, 8)
    """The least and the most marks of an answer."""
    reports_usage: float = 1.0
    """Share of the answers with usage, where the wire format leaves that open."""
    episodes: list[Episode] = field(default_factory=list)

    def plan(self, asked: Asked, key: str, now: float, unix_time: float) -> Plan:
        plan = healthy_plan(self.wire, asked, self.pace, self.rng, unix_time)
        for episode in self.episodes:
            if episode.hits(now, key, asked.model) and self.rng.random() < episode.share:
                plan.fault = episode.kind
                FAULTS[episode.kind](plan, self.rng, episode.amount)
                break
        return plan


class SimulatedRequest:
    """One request to a provider: a ``ports.UpstreamRequest``, and what became of it."""

    __slots__ = (
        "asked", "chunks_sent", "client", "due", "ended_at", "is_paused", "key", "pieces_read",
        "plan", "provider", "read_to", "received", "receiver", "request_id", "response_at",
        "sent_at", "started", "state", "step", "text_times", "timeouts", "timer", "transport",
    )  # fmt: skip

    def __init__(
        self,
        transport: SimulatedTransport,
        provider: SimulatedProvider,
        key: str,
        plan: Plan,
        timeouts: Timeouts,
        receiver: ResponseReceiver,
    ) -> None:
        self.transport = transport
        self.provider = provider
        self.asked = plan.asked
        self.key = key
        self.request_id = _request_id_of(receiver)
        number = self.request_id.removeprefix("client-")
        self.client = int(number) if number.isdigit() else SHADOW
        """The number of the client whose request it is, or ``SHADOW``."""
        self.plan = plan
        self.timeouts = timeouts
        self.receiver = receiver
        self.started = transport.loop.now
        self.sent_at: float | None = None
        self.response_at: float | None = None
        self.ended_at: float | None = None
        self.received = 0
        """Bytes of the body that the gateway got."""
        self.chunks_sent = 0
        self.text_times: list[float] = []
        """When each mark of a stream arrived."""
        self.pieces_read = self.read_to = 0
        """Complete events so far, and their bytes."""
        self.state = "open"
        """Then ``ended``, ``failed``, ``cancelled`` or ``finished``."""
        self.is_paused = False
        self.due = 0.0
        self.timer: Any = None
        self.step: Callable[[], None] = self._connect

    # --- Called by the gateway --------------------------------------------------------------------

    def cancel(self) -> None:
        if self.state == "open":
            self._close("cancelled")

    def finish(self) -> None:
        if self.state == "open":
            self._close("finished")

    def pause(self) -> None:
        if self.state == "open" and not self.is_paused:
            self.is_paused = True
            if self.response_at is not None:
                self._wait_for_total()

    def resume(self) -> None:
        if self.state == "open" and self.is_paused:
            self.is_paused = False
            if self.response_at is not None:
                self._after(max(0.0, self.due - self.transport.loop.now), self.step)

    # --- The course of the response ---------------------------------------------------------------

    def start(self) -> None:
        if self.plan.connect == 0.0:
            self._connect()
        else:
            self._after(self.plan.connect, self._connect)

    def _connect(self) -> None:
        plan = self.plan
        if plan.breaks_at == "connect" and plan.error is not None:
            self._after(0.0, self._break)
            return
        self.sent_at = self.transport.loop.now
        self._call(self.receiver.on_sent, self.sent_at)
        self._after(plan.head, self._break if plan.breaks_at == "head" else self._respond)

    def _respond(self) -> None:
        plan, now = self.plan, self.transport.loop.now
        self.response_at = now
        self.transport.story.tell("provider answers", self, plan.status)
        self._call(self.receiver.on_response, plan.status, plan.headers, now)
        self._next_chunk()

    def _next_chunk(self) -> None:
        if self.state != "open":
            return
        if self.chunks_sent < len(self.plan.chunks):
            self._after(self.plan.chunks[self.chunks_sent][0], self._send_chunk)
        else:
            self._after(self.plan.end, self._end)

    def _send_chunk(self) -> None:
        data = self.plan.chunks[self.chunks_sent][1]
        self.chunks_sent += 1
        self.received += len(data)
        self._note_texts()
        self._call(self.receiver.on_chunk, data, self.transport.loop.now)
        self._next_chunk()

    def _note_texts(self) -> None:
        if self.plan.answer.content_type != SSE:
            return
        pieces, now = self.plan.pieces, self.transport.loop.now
        while self.pieces_read < len(pieces):
            piece = pieces[self.pieces_read]
            if self.read_to + len(piece.data) > self.received:
                return
            self.read_to += len(piece.data)
            self.pieces_read += 1
            if piece.texts:
                self.text_times.append(now)

    def _end(self) -> None:
        if self.plan.error is not None:
            self._break()
            return
        self._close("ended")
        self._call(self.receiver.on_end, self.transport.loop.now)

    def _break(self) -> None:
        assert self.plan.error is not None
        self.fail(self.plan.error)

    def fail(self, error: UpstreamError) -> None:
        self._close("failed")
        self.transport.story.tell("provider fails", self, error.code)
        self._call(self.receiver.on_error, error, self.transport.loop.now)

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except Exception as error:
            self.transport.story.violate(f"a receiver raised {error!r}", self)
            self.cancel()

    # --- Time -------------------------------------------------------------------------------------

    def _after(self, delay: float, step: Callable[[], None]) -> None:
        """Take ``step`` after ``delay``, or time out before."""
        if self.state != "open":
            return
        self.step, self.due = step, self.transport.loop.now + delay
        if self.is_paused and self.response_at is not None:
            self._wait_for_total()
            return
        now, timeouts = self.transport.loop.now, self.timeouts
        if self.sent_at is None:
            limit, code = timeouts.connect, "connect_timeout"
        elif self.response_at is None:
            limit, code = timeouts.first_byte, "first_byte_timeout"
        else:
            limit, code = timeouts.idle, "idle_timeout"
        total = self.started + timeouts.total - now
        if total < limit:
            limit, code = total, "total_timeout"
        if self.timer is not None:
            self.timer.cancel()
        call_later = self.transport.loop.call_later
        if delay <= limit:
            self.timer = call_later(delay, step)
        else:
            self.timer = call_later(limit, self._time_out, code)

    def _wait_for_total(self) -> None:
        """While the client does not read, only the whole time is limited."""
        if self.timer is not None:
            self.timer.cancel()
        left = self.started + self.timeouts.total - self.transport.loop.now
        self.timer = self.transport.loop.call_later(left, self._time_out, "total_timeout")

    def _time_out(self, code: str) -> None:
        self.fail(UpstreamTimeout(f"simulated {code}", code=code))

    def _close(self, state: str) -> None:
        self.state = state
        self.ended_at = self.transport.loop.now
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.step = _nothing
        self.transport.story.tell(state, self)

    # --- What the provider knows ------------------------------------------------------------------

    @property
    def target(self) -> str:
        return f"{self.provider.name}/{self.asked.model}"

    @property
    def is_complete(self) -> bool:
        """The gateway got the answer to the end, and it was a right one."""
        plan = self.plan
        if plan.status != 200 or plan.is_damaged:
            return False
        has_all = self.received == sum(len(piece.data) for piece in plan.pieces)
        return (has_all or self.state in ("finished", "ended")) and self.delivered().finished

    def delivered(self, received: int | None = None) -> Delivered:
        """Of the first ``received`` bytes, or of all that came. A whole body is read when it is
        complete, a stream up to its last complete event. The line breaks after the last event may
        be missing where the body ends properly."""
        texts, has_input, has_output, finished, size = 0, False, False, False, 0
        is_all = received is None or received == self.received
        received = self.received if received is None else received
        has_ended = self.state == "ended" and is_all
        if self.plan.answer.content_type != SSE and not has_ended:
            return NOTHING
        for piece in self.plan.pieces:
            size += len(piece.data)
            if size > received:
                needed = size - len(piece.data) + len(piece.data.rstrip())
                if not has_ended or received < needed:
                    break
            texts += piece.texts
            has_input = has_input or piece.has_input
            has_output = has_output or piece.has_output
            finished = finished or piece.finishes
        return Delivered(texts, has_input, has_output, finished)


def _nothing() -> None:
    """The step of a request that is over."""


class SimulatedTransport:
    """Leads to all providers: the host of an address is the name of the provider."""

    def __init__(
        self,
        loop: VirtualLoop,
        providers: dict[str, SimulatedProvider],
        story: Story,
        unix_time: Callable[[], float],
    ) -> None:
        self.loop = loop
        self.providers = providers
        self.story = story
        self.unix_time = unix_time
        self.requests: list[SimulatedRequest] = []

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> SimulatedRequest:
        provider = self.providers[request.url.host]
        body = _decode(request.body)
        asked = Asked(
            len(self.requests),
            body.model or _model_in(request.url.path),
            body.stream or "stream" in request.url.path,
            provider.rng.random() < provider.reports_usage
            and (not body.stream or body.stream_options is not None),
            provider.rng.randint(*provider.texts),
        )
        key = _key_in(request)
        plan = provider.plan(asked, key, self.loop.now, self.unix_time())
        plan.headers.append((b"x-request-id", b"up-%d" % asked.serial))
        made = SimulatedRequest(self, provider, key, plan, timeouts, receiver)
        self.requests.append(made)
        self.story.tell("asks provider", made, plan.fault)
        made.start()
        return made

    async def close(self) -> None:
        for request in self.requests:
            if request.state == "open":
                request.fail(UpstreamDisconnected("closed", code="transport_closed"))


def _request_id_of(receiver: Any) -> str:
    """The id that the client gave its request; of a copy that the gateway sends by itself, that of
    the copy. Of a response that several calls read, the first one sent the request."""
    while not hasattr(receiver, "context"):
        receiver = receiver._readers[0].receiver
    return str(receiver.context.request_id)


def _model_in(path: str) -> str:
    """``/v1beta/models/NAME:streamGenerateContent?alt=sse`` -> ``NAME``."""
    return path.partition("/models/")[2].partition(":")[0]


def _key_in(request: HttpRequest) -> str:
    for name, value in request.headers:
        if name.lower() in ("authorization", "x-api-key", "x-goog-api-key"):
            return value.removeprefix("Bearer ")
    return ""
