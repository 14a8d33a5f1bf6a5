"""A second request of a call, to its next target, where the first has been silent for longer than
is usual. Both may answer; the first content wins (``Dispatch.on_commit``)."""

from __future__ import annotations

import asyncio
from typing import Protocol

from headway.dialects.base import DecodedRequest, Dialect, ResponseContext
from headway.errors import RequestError, UpstreamError
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_guard import AttemptGuard
from headway.pipeline.candidates import Candidate
from headway.pipeline.gateway import Gateway, Snapshot, Timer
from headway.pipeline.prepare import PlannedCall
from headway.pipeline.target_queue import TargetQueue
from headway.record import AttemptRole
from headway.routing.hedge import HedgeBudget, hedge_delay
from headway.routing.route import Hedging, Route

CANNOT_SEND = (RequestError, UpstreamError)
"""Of a target that cannot be sent the request: it cannot carry it, or lacks a key or an address."""


class HedgedCall(PlannedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    attempts: int
    decoded: DecodedRequest | None

    def resume_work(self) -> None: ...


class HedgedDispatch(Protocol):
    """What of a ``Dispatch`` is needed."""

    route: Route
    running: list[Attempt]

    @property
    def queue(self) -> TargetQueue: ...

    async def make_ready(self, candidate: Candidate) -> ResponseContext: ...

    def encode_and_send(
        self, candidate: Candidate, context: ResponseContext, role: AttemptRole
    ) -> None: ...


class Hedge:
    """Of one call: ``plan`` when its first request is sent, ``stop`` when it has an answer or is
    over."""

    __slots__ = ("_budget", "_call", "_dispatch", "_task", "_timer")

    def __init__(self, call: HedgedCall, dispatch: HedgedDispatch, hedging: Hedging) -> None:
        self._call = call
        self._dispatch = dispatch
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        state, name = call.gateway.routing_state, dispatch.route.name
        self._budget: HedgeBudget = state.hedge_budget(name, hedging.max_share)
        self._budget.count_call()

    def plan(self, target_id: str, is_stream: bool, now: float) -> None:
        """The target is sent the first request."""
        gateway = self._call.gateway
        speed = gateway.routing_state.target(target_id).speed(is_stream)
        delay_s = hedge_delay(speed, now) if self._dispatch.queue else None
        if delay_s is not None:
            self._timer = gateway.call_later(delay_s, self._start)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _is_wanted(self) -> bool:
        running = self._dispatch.running
        return len(running) == 1 and not running[0].arrivals

    def _start(self) -> None:
        self._timer = None
        call, dispatch = self._call, self._dispatch
        has_attempts = call.attempts < dispatch.route.max_attempts
        if not (self._is_wanted() and has_attempts and self._budget.allows):
            return
        if dispatch.queue.peek() is not None:
            self._budget.pay()
            self._task = call.gateway.start(self._send(dispatch.queue.take()))

    async def _send(self, candidate: Candidate) -> None:
        call, dispatch = self._call, self._dispatch
        try:
            context = await dispatch.make_ready(candidate)
            if self._is_wanted():
                call.resume_work()
                dispatch.encode_and_send(candidate, context, "hedge")
                for attempt in dispatch.running:
                    assert isinstance(attempt.guard, AttemptGuard)
                    attempt.guard.mark_hedged()
        except CANNOT_SEND as error:
            dispatch.queue.pass_over(candidate.id, error)
        finally:
            self._task = None
