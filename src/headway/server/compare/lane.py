"""One lane of a comparison: a call of its own, whose stream becomes events of the comparison.

{"lane":0,"type":"chunk","at_ms":412.07,"chunk":{...}}      as /v1/chat/completions streams it
{"lane":0,"type":"done","at_ms":903.55,...}                  or "error", at the end
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, ResponseContext, without_line_breaks
from headway.dialects.openai.chat import OpenAIChat, OpenAIChatStream
from headway.dialects.openai.standard_usage import standard_usage
from headway.errors import HeadwayError, InternalError
from headway.ledger.json_views import cost_of, cost_view, exact
from headway.ledger.rows import round_record
from headway.metering.metrics import Metrics
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import DEFECT, Gateway
from headway.ports import ResponseHeaders
from headway.record import Record, decode
from headway.response_accumulator import ResponseAccumulator
from headway.server.compare.events import LaneDone, encode_event, milliseconds
from headway.types import Clock
from headway.wire.sse import SseFramer

ROUTE = "/api/compare"
END_MARK = b"[DONE]"
ROUNDED = tuple(
    name
    for name in Metrics.__struct_fields__
    if name in Record.__struct_fields__ and (name.endswith("_s") or name == "tokens_per_second")
)
"""The metrics that the ledger rounds. They are sent as it has them."""
_encode = msgspec.json.Encoder().encode


class Events(Protocol):
    """Where the events of a lane go: a ``Comparison``."""

    @property
    def is_paused(self) -> bool: ...

    def write(self, data: bytes) -> None: ...

    def on_lane_over(self, lane: Lane) -> None: ...


class Lane:
    """A ``ports.Sink`` for the call of one lane."""

    def __init__(self, number: int, events: Events, clock: Clock, accepted: float) -> None:
        """``accepted`` is the clock when the comparison was asked for."""
        self.number = number
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.is_over = False
        self.result: tuple[dict[str, Any] | None, Metrics] | None = None
        """The usage and the metrics of a complete answer."""
        self.failed: int | None = None
        """The status of the error that ended the stream."""
        self._events = events
        self._framer = SseFramer()
        self._prefix = b'data: {"lane":%d,"type":' % number
        self._chunk = self._prefix + b'"chunk","at_ms":'
        self._clock = clock
        self._accepted = accepted
        self._started = accepted
        """Its times count from here."""
        self._call_id: str | None = None
        self._records: list[bytes] = []

    def begin(self, gateway: Gateway, request: ClientRequest) -> None:
        self._started = self._clock()
        call = LaneCall(gateway, LaneDialect(self), request, self, self._started)
        self._call_id, call.on_record = call.id, self._records.append
        call.begin()

    def refuse(self, error: HeadwayError) -> None:
        """End a lane that has not started."""
        self._started = self._clock()
        body = OpenAIChat().encode_error(error, None, "")
        self._end(self._error(error.status, body))

    # --- The sink of its call ---------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        return self._events.is_paused

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        """Of a stream, only an error is a whole response."""
        self._end(self._error(status, body))

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        """The event at the end says what the headers do."""

    def write(self, data: bytes) -> None:
        found = self._events_of([each.data for each in self._framer.feed(data)])
        if found:
            self._events.write(found)

    def end(self, data: bytes = b"") -> None:
        parts = [each.data for each in (*self._framer.feed(data), *self._framer.end())]
        if self.failed is not None and parts:
            self._end(self._events_of(parts[:-1]) + self._error(self.failed, parts[-1]))
        elif self.result is None or not self._records:
            self.abort()
        else:
            self._end(self._events_of(parts) + self._done())

    def abort(self) -> None:
        defect = InternalError(DEFECT)
        self._end(self._error(defect.status, OpenAIChat().encode_error(defect, None, "")))

    # --- Its events -------------------------------------------------------------------------------

    def _events_of(self, parts: list[bytes]) -> bytes:
        """The pieces of a stream, which are objects in JSON and the mark of its end."""
        head = b'%b%.2f,"chunk":' % (self._chunk, (self._clock() - self._started) * 1e3)
        return b"".join(
            [
                b"%b%b}\n\n" % (head, without_line_breaks(part))
                for part in parts
                if part and part != END_MARK
            ]
        )

    def _done(self) -> bytes:
        assert self.result is not None
        records = [round_record(decode(line)) for line in self._records]
        last, (usage, metrics), total = records[-1], self.result, cost_of(records)
        done = LaneDone(
            lane=self.number,
            at_ms=self._at_ms(),
            id=last.call_id or last.id,
            provider=last.provider,
            model=last.deployment or last.model,
            finish_reason=last.finish_reason,
            usage=usage,
            metrics=replace(metrics, **{name: getattr(last, name) for name in ROUNDED}),
            cost=cost_view(last),
            cost_usd=None if total is None else float(total),
            cost_usd_exact=exact(total),
            transformations=last.transformations,
            waited_ms=self._waited_ms(),
        )
        return encode_event(done)

    def _error(self, status: int, body: bytes) -> bytes:
        """``body`` is that of an error of the chat route: an object with the error in it."""
        facts = {
            "status": status,
            "id": self._call_id if self._records else None,
            "waited_ms": self._waited_ms(),
        }
        members = without_line_breaks(body.strip())[1:-1]
        start = b'%b"error","at_ms":%.2f,' % (self._prefix, self._at_ms())
        return b"%b%b,%b\n\n" % (start, members, _encode(facts)[1:])

    def _at_ms(self) -> float:
        return milliseconds(self._clock() - self._started)

    def _waited_ms(self) -> float:
        return milliseconds(self._started - self._accepted)

    def _end(self, data: bytes) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._events.write(data)
        self._events.on_lane_over(self)


class LaneCall(GatewayCall):
    """The call of a lane. The comparison says that its stream is alive."""

    def keep_alive(self, now: float, silence_s: float) -> None:
        super().keep_alive(now, math.inf)  # only to end a response that is finished


class LaneDialect(OpenAIChat):
    """The chat dialect, which tells a lane how its answer ends."""

    route = ROUTE

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def stream(self, context: ResponseContext) -> OpenAIChatStream:
        return LaneStream(context, self._lane)


class LaneStream(OpenAIChatStream):
    __slots__ = ("_lane",)

    def __init__(self, context: ResponseContext, lane: Lane) -> None:
        super().__init__(context)
        self._lane = lane

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        assert isinstance(metrics, Metrics)
        self._lane.result = standard_usage(response.usage), metrics
        return super().end(response, metrics, now)

    def fail(self, error: HeadwayError) -> list[bytes]:
        self._lane.failed = error.status
        return super().fail(error)
