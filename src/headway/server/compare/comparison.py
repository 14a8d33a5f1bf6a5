"""Several calls at once, whose streams are one stream of events to one client.

    start of each lane, at once  ->  chunks as they come, done or error of each lane  ->  end

Each lane is a call of its own through the pipeline. What a call writes is an event of the client's
stream in the same moment: there is no queue in between. A client that is slower than the lanes
pauses all of them, and one that disconnects ends them.
"""

from __future__ import annotations

import asyncio
from collections import deque

from headway.dialects.base import SSE, ClientRequest
from headway.errors import HeadwayError, LedgerUnavailable, ShuttingDown
from headway.pipeline.attempt import KEEP_ALIVE
from headway.pipeline.gateway import CLOSING, NO_RECORD, RECORD_RETRY_S, Gateway
from headway.pipeline.request_body import decode_request
from headway.policy.cache_key import CONTROL, NEW_ANSWER, TTL
from headway.policy.request_headers import find_request_id, read_facts
from headway.ports import ResponseHeaders, Sink
from headway.server.compare.events import (
    ComparisonEnd,
    LaneStart,
    encode_event,
    milliseconds,
)
from headway.server.compare.lane import Lane
from headway.server.compare.request import ComparisonBody, LaneRequest
from headway.types import Headers

CONCURRENT = 20
"""Lanes at a time; the others wait."""
BODIES = 4
"""Bodies of the largest size that the lanes may have at a time: each has one of its own."""
ID_HEADER = b"x-headway-comparison"
TAGS = b"x-headway-tags"
NOT_PASSED = frozenset({b"content-encoding", b"content-length"})
"""Headers of the client's body, which no lane has."""


class Comparison:
    """One request. It is in ``Gateway.active`` until its stream ends, beside the calls of its
    lanes."""

    def __init__(self, gateway: Gateway, client_request: ClientRequest, sink: Sink) -> None:
        """Raises HeadwayError for a request that is wrong as a whole."""
        if gateway.is_closing:
            raise ShuttingDown(CLOSING)
        if gateway.is_refusing:
            raise LedgerUnavailable(NO_RECORD, retry_after_s=RECORD_RETRY_S)
        limits = gateway.snapshot.body_limit, gateway.snapshot.json_limit
        self._request = decode_request(ComparisonBody(), client_request, *limits)
        size = sum(map(len, self._request.shared.values()))
        self._places = min(CONCURRENT, max(1, BODIES * limits[0] // max(1, size)))
        self.id = gateway.new_id()
        self._gateway = gateway
        self._sink = sink
        self._accepted = self._last_write = gateway.clock()
        self._request_id = find_request_id(client_request.headers) or self.id
        self._headers = lane_headers(client_request.headers, self.id)
        self._facts = read_facts(self._headers, client_request.query)
        self._waiting: deque[tuple[Lane, LaneRequest]] = deque(
            (Lane(number, self, gateway.clock, self._accepted), lane)
            for number, lane in enumerate(self._request.lanes)
        )
        self._running: set[Lane] = set()
        self._is_over = False

    def begin(self) -> None:
        sink = self._sink
        sink.on_pause, sink.on_resume, sink.on_gone = self._pause, self._resume, self._leave
        self._gateway.active.add(self)
        for lane in self._request.lanes:  # adapters are imported now, not while others are timed
            self._gateway.snapshot.upstreams.get(lane.model.partition("/")[0])
        further = ((ID_HEADER, self.id.encode()),)
        sink.send_headers(200, ResponseHeaders(self._request_id, SSE, further=further))
        self.write(b"".join(map(self._start_event, range(len(self._request.lanes)))))
        self._start_next()

    # --- Called by the server ---------------------------------------------------------------------

    def keep_alive(self, now: float, silence_s: float) -> None:
        """Write a comment if no lane has written for ``silence_s``."""
        if now - self._last_write >= silence_s:
            self.write(KEEP_ALIVE)

    def abort(self, error: HeadwayError) -> None:
        """End the lanes that wait. Those that run are calls, and are ended as such."""
        waiting, self._waiting = self._waiting, deque()
        for lane, _ in waiting:
            lane.refuse(error)
        self._end_if_over()

    # --- Called by the client's sink --------------------------------------------------------------

    def _pause(self) -> None:
        for lane in list(self._running):
            if lane.on_pause is not None:
                lane.on_pause()

    def _resume(self) -> None:
        for lane in list(self._running):
            if lane.on_resume is not None:
                lane.on_resume()

    def _leave(self) -> None:
        """The client disconnected."""
        self._close()
        self._waiting.clear()
        for lane in list(self._running):
            if lane.on_gone is not None:
                lane.on_gone()

    # --- Called by the lanes ----------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        return self._sink.is_paused

    def write(self, data: bytes) -> None:
        if not self._is_over:
            self._last_write = self._gateway.clock()
            self._sink.write(data)

    def on_lane_over(self, lane: Lane) -> None:
        self._running.discard(lane)
        if self._waiting:
            self._start_next()
        else:
            self._end_if_over()

    # --- Inside -----------------------------------------------------------------------------------

    def _start_next(self) -> None:
        """In a turn of the event loop of its own: what arrives for the lanes that run already is
        read in between, and so is timed as it comes."""
        asyncio.get_running_loop().call_soon(self._start_lane)

    def _start_lane(self) -> None:
        if not self._waiting or len(self._running) >= self._places:
            return
        lane, request = self._waiting.popleft()
        self._running.add(lane)
        body = self._request.body_of(request)
        lane.begin(self._gateway, ClientRequest("", self._headers, body, "", self._facts))
        if self._waiting:
            self._start_next()

    def _end_if_over(self) -> None:
        if self._is_over or self._running or self._waiting:
            return
        self._close()
        self._sink.end(encode_event(ComparisonEnd(at_ms=self._at_ms())))

    def _start_event(self, number: int) -> bytes:
        lane = self._request.lanes[number]
        return encode_event(
            LaneStart(
                lane=number,
                at_ms=self._at_ms(),
                model=lane.model,
                run=lane.run,
                comparison=self.id,
                waits=number >= self._places,
            )
        )

    def _at_ms(self) -> float:
        return milliseconds(self._gateway.clock() - self._accepted)

    def _close(self) -> None:
        self._is_over = True
        self._gateway.active.discard(self)
        sink = self._sink
        sink.on_gone = sink.on_pause = sink.on_resume = None


def lane_headers(headers: Headers, comparison: str) -> Headers:
    """The client's headers, and what those of each lane say besides: its answer is a new one,
    unless the client says something of the cache."""
    passed = [header for header in headers if header[0] not in NOT_PASSED]
    names = {name for name, _ in passed}
    cache = () if CONTROL in names or TTL in names else (NEW_ANSWER,)
    return [(TAGS, b"compare:" + comparison.encode()), *passed, *cache]
