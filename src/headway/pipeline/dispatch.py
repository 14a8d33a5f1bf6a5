"""The attempts of one call: which target is sent the request, and what follows where that fails.

    plan -> adapt, choose a key, encode, send -> the answer, or the next target

A call of one model without retries, of a provider with one key, has no ``Dispatch``: it has one
attempt, whose error is final. What awaits something runs in a task of the call; all else is done
where it is called. Nothing reaches the client before an attempt commits itself (``on_commit``), and
then no other one can.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.errors import (
    HeadwayError,
    HedgeLost,
    LimitExceeded,
    NoTarget,
    RequestError,
    UpstreamError,
)
from headway.pipeline import accounting, history, provider_calls, targets
from headway.pipeline.answer_checks import find_checks
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_guard import AttemptGuard
from headway.pipeline.attempt_origin import AttemptOrigin
from headway.pipeline.attempt_tokens import count_part
from headway.pipeline.call_records import RecordedCall, log_failure, record_failure
from headway.pipeline.candidates import Candidate, new_candidate
from headway.pipeline.failure_log import fields
from headway.pipeline.gateway import Timer, Upstream
from headway.pipeline.pinning import Pinning, may_pin
from headway.pipeline.prepare import prepare
from headway.pipeline.redaction import redact_error
from headway.pipeline.route_plan import describe_plan, plan_route
from headway.ports import AttemptKind
from headway.record import AttemptRole
from headway.routing.hedge import hedge_delay
from headway.routing.retry import Decision, FailureClass, Situation, classify, decide_next
from headway.routing.route import Limits, Route, RouteTarget
from headway.routing.target_state import TargetState
from headway.routing.wishes import NO_WISHES, Wishes
from headway.types import HttpRequest, Target

log = logging.getLogger("headway")
KINDS: Mapping[AttemptRole, AttemptKind] = {
    "fallback": "further",
    "hedge": "further",
    "retry": "retry",
}
CANNOT_SEND = (RequestError, UpstreamError)
"""Of a target that cannot be sent the request: it cannot carry it, or lacks a key or an address."""


class DispatchedCall(RecordedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    abort_reason: HeadwayError | None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in a task; an error that it raises ends the call."""

    def interruptible(self) -> AbstractContextManager[None]:
        """Of an await that the end of the call interrupts."""

    def send(
        self,
        upstream: Upstream,
        context: ResponseContext,
        target: Target,
        http_request: HttpRequest,
        guard: AttemptGuard,
        *,
        may_follow: bool,
    ) -> Attempt: ...

    def count_overhead(self) -> None:
        """Add the gateway's own time so far."""

    def resume_work(self) -> None:
        """The gateway's own time begins again."""

    def continue_with(self, attempt: Attempt) -> None:
        """It is the one whose answer the client gets, as far as is known."""

    def abort(self, error: HeadwayError) -> None: ...

    def start_shadow(self, target: RouteTarget, decoded: DecodedRequest) -> None:
        """Send a copy of the client's request ``decoded`` to ``target`` soon."""


class Dispatch:
    """The attempts of one call."""

    __slots__ = (
        "_call",
        "_checks",
        "_deadline",
        "_decision",
        "_decoded",
        "_has_fallen_back",
        "_hedge_task",
        "_hedge_timer",
        "_last_error",
        "_pinning",
        "_queue",
        "_route",
        "_running",
        "_shadow",
        "_skipped",
        "_timer",
        "_why",
        "_wishes",
    )

    def __init__(
        self,
        call: DispatchedCall,
        route: Route,
        decoded: DecodedRequest,
        wishes: Wishes = NO_WISHES,
    ) -> None:
        """``decoded`` is the client's request, ``wishes`` what it asks of the choice of targets."""
        self._call = call
        self._route = route
        self._decoded = decoded
        self._wishes = wishes
        self._queue: list[Candidate | RouteTarget] = []
        """Targets that were not tried yet, in their order."""
        self._skipped: list[tuple[str, str]] = []
        """Ids of targets that cannot be sent the request, and why, in words that follow the id."""
        self._why = ""
        self._decision: str | None = None
        self._last_error: HeadwayError | None = None
        self._running: list[AttemptGuard] = []
        self._has_fallen_back = False
        self._pinning: Pinning | None = None
        """Where it may matter to the conversation which provider answers."""
        self._shadow: RouteTarget | None = None
        """What gets a copy of the request when the answer begins."""
        self._deadline: float | None = None
        """On the gateway's clock."""
        self._timer: Timer | None = None
        self._hedge_timer: Timer | None = None
        self._hedge_task: asyncio.Task[None] | None = None
        self._checks = find_checks(route, decoded, call.dialect)

    # --- The first attempt ------------------------------------------------------------------------

    def start_route(self) -> None:
        """Raises HeadwayError where there is no target to send the request to."""
        plan = plan_route(self._call, self._route, self._decoded, self._wishes)
        if may_pin(self._decoded, plan):
            self._pinning = Pinning(self._call, self._route, self._decoded, plan)
            plan = self._pinning.plan
        self._queue += plan.candidates
        self._skipped += [(each.target.id, each.reason) for each in plan.skipped]
        self._why = plan.why
        shadow = self._route.shadow
        is_bound = self._pinning is not None and self._pinning.is_bound
        if shadow is not None and not is_bound and self._call.gateway.rng() < shadow.share:
            self._shadow = shadow.target
        self._set_deadline()
        self._send_next("first")

    def start_single(self, upstream: Upstream) -> None:
        """A call of one model, whose request has the names of its provider and its model already.
        Raises HeadwayError."""
        decoded = self._decoded
        target = RouteTarget(provider=decoded.provider, model=decoded.request.model)
        self._queue.append(Candidate(target, upstream, decoded))
        self._set_deadline()
        self._send_next("first")

    def start_shadow(self, target: RouteTarget) -> None:
        """Raises HeadwayError."""
        self._queue.append(target)
        self._send_next("shadow")

    def _set_deadline(self) -> None:
        seconds = self._route.limits.total
        if seconds is None:
            return
        call = self._call
        self._deadline = call.started + seconds
        left = self._deadline - call.gateway.clock()
        self._timer = call.gateway.call_later(max(left, 0.0), self._on_deadline)

    def _on_deadline(self) -> None:
        self._timer = None
        seconds = self._route.limits.total
        message = f"There was no complete answer within {seconds:g} s."
        self._call.abort(LimitExceeded(message, code="deadline_exceeded"))

    # --- Send -------------------------------------------------------------------------------------

    def _send_next(self, role: AttemptRole) -> None:
        """Send the request to the first target that it can be sent to. Raises HeadwayError where
        there is none."""
        candidate = self._peek()
        if candidate is None:
            raise self._exhausted()
        del self._queue[0]
        self._send(candidate, role)

    def _peek(self) -> Candidate | None:
        """The first of the targets not yet tried that can carry the request. Those before it are
        skipped."""
        queue = self._queue
        while queue:
            found = queue[0]
            try:
                if isinstance(found, RouteTarget):
                    call = self._call
                    found = new_candidate(call.snapshot, found, self._decoded, call.dialect)
                if found.context is None and found.decoded.recall is None:
                    found.context = prepare(self._call, found.upstream, found.decoded)
                queue[0] = found
                return found
            except RequestError as error:
                self._skip(found.id, error)
                del queue[0]
        return None

    def _skip(self, target_id: str, error: HeadwayError) -> None:
        redact_error(error, self._call.secrets())
        self._skipped.append((target_id, f"cannot be sent it: {error.message}"))
        self._decision = None
        if not self._call.attempts:
            self._last_error = error

    def _exhausted(self) -> HeadwayError:
        """The error of the last attempt; without one, that of the only target, or one that says of
        each target why it was skipped."""
        if self._last_error is not None and (self._call.attempts or not self._route.targets):
            return self._last_error
        reasons = "; ".join(f"{name} {reason.removesuffix('.')}" for name, reason in self._skipped)
        return NoTarget(
            f"No target of the route {self._route.name!r} can take this request. {reasons}.",
            param="model",
            code="no_target",
        )

    def _send(self, candidate: Candidate, role: AttemptRole) -> None:
        if candidate.context is not None:
            try:
                if self._choose_target(candidate):
                    self._encode_and_send(candidate, candidate.context, role)
                    return
            except CANNOT_SEND as error:
                self._skip(candidate.id, error)
                self._send_next(role)
                return
        self._call.start(self._resolve_and_send(candidate, role))

    async def _resolve_and_send(self, candidate: Candidate, role: AttemptRole) -> None:
        call, upstream = self._call, candidate.upstream
        call.count_overhead()
        try:
            with call.interruptible():
                if candidate.context is None:
                    decoded = await history.complete(call, upstream, candidate.decoded)
                    candidate.decoded = decoded
                    candidate.context = prepare(call, upstream, decoded)
                if not self._choose_target(candidate):
                    found = await targets.resolve(call.gateway, upstream, candidate.decoded)
                    candidate.http_target = found
            self._encode_and_send(candidate, candidate.context, role)
        except CANNOT_SEND as error:
            if call.abort_reason is not None:
                raise
            self._skip(candidate.id, error)
            self._send_next(role)

    def _choose_target(self, candidate: Candidate) -> bool:
        """Set its address and its key. False: they must be awaited."""
        if candidate.http_target is not None:
            return True
        upstream, decoded = candidate.upstream, candidate.decoded
        has_own = decoded.api_key or decoded.base_url or decoded.options
        target = None if has_own else upstream.target
        target = target or targets.build_at_once(upstream, decoded)
        if target is None:
            return False
        if upstream.keys and not candidate.has_clients_key:
            gateway = self._call.gateway
            key = targets.choose_key(
                upstream,
                gateway.routing_state,
                candidate.id,
                gateway.clock(),
                gateway.rng(),
                candidate.tried_keys,
            )
            target = replace(target, api_key=key.key)
            candidate.key = key
        candidate.http_target = target
        candidate.http_request = None
        return True

    def _encode_and_send(
        self, candidate: Candidate, context: ResponseContext, role: AttemptRole
    ) -> None:
        call, gateway, upstream = self._call, self._call.gateway, candidate.upstream
        target = candidate.http_target
        assert target is not None
        if candidate.http_request is None:
            candidate.http_request = provider_calls.encode(upstream, context.sent, target)
        http_request, now, key = candidate.http_request, gateway.clock(), candidate.key
        observer = None
        if not candidate.has_clients_key:
            observer = gateway.routing_state.begin(
                candidate.id,
                upstream.name if key is None else key.id,
                now,
                context.call.asks_stream,
                "further" if candidate.tried_keys else KINDS.get(role, "first"),
            )
        origin = AttemptOrigin(
            call.attempts + 1,
            role,
            candidate.id,
            self._route.name or None,
            None if key is None else key.name,
            self._describe(candidate),
            len(http_request.body),
        )
        limits = self._route.limits
        guard = AttemptGuard(gateway, self, candidate, origin, observer, limits, self._checks, now)
        self._running.append(guard)
        may_follow = bool(self._route.targets) or call.attempts + 1 < self._route.max_attempts
        call.send(upstream, context, target, http_request, guard, may_follow=may_follow)
        guard.start()
        if role == "first" and self._route.hedging is not None:
            self._plan_hedge(candidate, now)

    def _describe(self, candidate: Candidate) -> str | None:
        """The decision, as ``Record.decision`` has it; None for a call of one model."""
        if not self._route.targets:
            return None
        if self._decision is None:
            left = (each.id for each in self._queue)
            self._decision = describe_plan(self._why, (candidate.id, *left), tuple(self._skipped))
        return self._decision

    # --- An attempt is over -----------------------------------------------------------------------

    def takes_over(self, attempt: Attempt) -> bool:
        """Whether the call goes on after ``attempt``, which is over."""
        guard, error, call = attempt.guard, attempt.error, self._call
        assert isinstance(guard, AttemptGuard)
        self._running.remove(guard)
        guard.close(error, call.gateway.clock())
        if error is None:
            if self._pinning is not None:
                provider = guard.candidate.target.provider
                self._pinning.remember(call.gateway, provider, attempt.reply_id)
            return False
        if classify(error) == "key":
            self._log_refused_key(guard.candidate, error)
        if isinstance(error, HedgeLost) or (self._running and not attempt.is_committed):
            self._record_at_once(attempt, error)
            if not isinstance(error, HedgeLost) and call.abort_reason is None:
                call.continue_with(self._running[0].attempt)
            return True
        if attempt.is_committed or call.abort_reason is not None:
            return False
        return self._follow(attempt, guard.candidate, error)

    def _record_at_once(self, attempt: Attempt, error: HeadwayError) -> None:
        """Of an attempt beside another one, which goes on."""
        call = self._call
        redact_error(error, call.secrets())
        result = attempt.result()
        if accounting.needs_count(result, error):
            result = accounting.estimate_tokens(result, attempt.accumulator.produced())
        record_failure(call, attempt, result, error, is_last=False)
        if not isinstance(error, HedgeLost):
            log_failure(call, "attempt failed, another one goes on", error, attempt)

    def _log_refused_key(self, candidate: Candidate, error: HeadwayError) -> None:
        """Never the key itself."""
        is_only_one = candidate.key is None and not self._route.targets
        if candidate.has_clients_key or is_only_one:
            return
        log.error(
            "a provider refuses a key, which is set aside",
            extra=fields(
                request_id=self._call.request_id,
                provider=candidate.target.provider,
                key=None if candidate.key is None else candidate.key.name,
                model=candidate.target.model,
                status=error.status,
            ),
        )

    def _follow(self, attempt: Attempt, candidate: Candidate, error: HeadwayError) -> bool:
        candidate.failures += 1
        decision = self._decide(candidate, error)
        if decision.step == "give_up":
            return False
        role: AttemptRole = "retry"
        if decision.step == "same":
            if not candidate.has_clients_key:
                self._state_of(candidate).budget.pay()
        elif decision.step == "next_key":
            candidate.http_target = None
        else:
            following = self._peek()
            assert following is not None
            del self._queue[0]
            candidate, role = following, "fallback"
        self._last_error = error
        wait_s = decision.delay_s if decision.step == "same" else None
        self._call.start(self._send_after(attempt, error, candidate, role, wait_s))
        return True

    def _decide(self, candidate: Candidate, error: HeadwayError) -> Decision:
        call, route = self._call, self._route
        gateway, failure = call.gateway, classify(error)
        fallbacks: tuple[RouteTarget, ...] = ()
        if failure == "context_window":
            fallbacks = route.on_context_window
        elif failure == "content_policy":
            fallbacks = route.on_content_policy
        if self._pinning is not None and self._pinning.is_bound:
            fallbacks = ()
        if fallbacks and not self._has_fallen_back:
            self._has_fallen_back = True
            self._queue[:] = fallbacks
        now = gateway.clock()
        has_fallback = bool(fallbacks) and self._peek() is not None
        situation = Situation(
            failures=candidate.failures,
            attempts=call.attempts,
            retries=route.retries,
            max_attempts=route.max_attempts,
            has_next_key=self._has_next_key(candidate, failure, now),
            has_next_target=self._peek() is not None,
            has_context_fallback=has_fallback,
            has_policy_fallback=has_fallback,
            may_retry=candidate.has_clients_key or self._state_of(candidate).budget.allows(now),
            time_left_s=None if self._deadline is None else self._deadline - now,
        )
        return decide_next(error, situation, gateway.rng())

    def _has_next_key(self, candidate: Candidate, failure: FailureClass, now: float) -> bool:
        if candidate.key is None or failure not in ("key", "rate_limited"):
            return False
        candidate.tried_keys.append(candidate.key.id)
        state = self._call.gateway.routing_state
        return targets.has_key_left(
            candidate.upstream, state, candidate.id, now, candidate.tried_keys
        )

    async def _send_after(
        self,
        attempt: Attempt,
        error: HeadwayError,
        candidate: Candidate,
        role: AttemptRole,
        wait_s: float | None,
    ) -> None:
        """Record what ended ``attempt``, and send the next one after ``wait_s``, if there is
        one."""
        call = self._call
        redact_error(error, call.secrets())
        result = attempt.result()
        if accounting.needs_count(result, error):
            result = await count_part(call.gateway, attempt, result, error)
        record_failure(call, attempt, result, error, is_last=False)
        log_failure(call, "attempt failed, another one follows", error, attempt)
        with call.interruptible():
            if wait_s is not None:
                await call.gateway.sleep(wait_s)
        self._send(candidate, role)

    def _state_of(self, candidate: Candidate) -> TargetState:
        return self._call.gateway.routing_state.target(candidate.id)

    # --- Attempts beside each other ---------------------------------------------------------------

    def _plan_hedge(self, candidate: Candidate, now: float) -> None:
        """Send a second request if the first is silent for longer than is usual."""
        hedging, gateway = self._route.hedging, self._call.gateway
        assert hedging is not None
        gateway.routing_state.hedge_budget(self._route.name, hedging.max_share).count_call()
        speed = self._state_of(candidate).speed(candidate.decoded.asks_stream)
        delay_s = hedge_delay(speed, now) if self._queue else None
        if delay_s is not None:
            self._hedge_timer = gateway.call_later(delay_s, self._hedge)

    def _hedge(self) -> None:
        self._hedge_timer = None
        call, route = self._call, self._route
        if len(self._running) != 1 or self._running[0].attempt.arrivals:
            return
        assert route.hedging is not None
        budget = call.gateway.routing_state.hedge_budget(route.name, route.hedging.max_share)
        if call.attempts >= route.max_attempts or not budget.allows:
            return
        candidate = self._peek()
        if candidate is None:
            return
        del self._queue[0]
        budget.pay()
        self._hedge_task = call.gateway.start(self._send_hedge(candidate))

    async def _send_hedge(self, candidate: Candidate) -> None:
        call, upstream = self._call, candidate.upstream
        try:
            if candidate.context is None:
                decoded = await history.complete(call, upstream, candidate.decoded)
                candidate.decoded = decoded
                candidate.context = prepare(call, upstream, decoded)
            if not self._choose_target(candidate):
                found = await targets.resolve(call.gateway, upstream, candidate.decoded)
                candidate.http_target = found
            if len(self._running) == 1 and not self._running[0].attempt.arrivals:
                call.resume_work()
                self._encode_and_send(candidate, candidate.context, "hedge")
                for guard in self._running:
                    guard.origin.is_hedged = True
        except CANNOT_SEND as error:
            self._skip(candidate.id, error)
        finally:
            self._hedge_task = None

    def _stop_hedging(self) -> None:
        if self._hedge_timer is not None:
            self._hedge_timer.cancel()
            self._hedge_timer = None
        if self._hedge_task is not None:
            self._hedge_task.cancel()
            self._hedge_task = None

    def on_commit(self, guard: AttemptGuard) -> None:
        self._stop_hedging()
        if self._shadow is not None:
            self._call.start_shadow(self._shadow, self._decoded)
            self._shadow = None
        if len(self._running) > 1:
            now = self._call.gateway.clock()
            self._call.continue_with(guard.attempt)
            for other in self._running[:]:
                if other is not guard:
                    other.attempt.cancel(HedgeLost("Another attempt answered first."), now)

    def cancel_all_but(self, attempt: Attempt | None, error: HeadwayError) -> None:
        """End all attempts but ``attempt``, with which the call ends."""
        self._stop_hedging()
        for other in self._running[:]:
            if other.attempt is not attempt:
                other.attempt.cancel(error, self._call.gateway.clock())

    def close(self) -> None:
        """The call is over."""
        self._stop_hedging()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._running.clear()


SHADOW_ROUTE = Route(name="", targets=(), max_attempts=1)


@lru_cache(maxsize=64)
def single_route(retries: int, keys: int, timeout_s: float | None) -> Route:
    """For a call of one model, of a provider with so many keys. ``timeout_s`` is for all of it."""
    attempts = 1 + retries + max(0, keys - 1)
    limits = Limits(total=timeout_s)
    return Route(name="", targets=(), retries=retries, max_attempts=attempts, limits=limits)
