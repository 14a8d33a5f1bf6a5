"""The attempts of one call: which target is sent the request, and what follows where that fails.

    plan -> adapt, choose a key, encode, send -> the answer, or the next target

A call of one model without retries, of a provider with one key, has no ``Dispatch``: it has one
attempt, whose error is final. What awaits something runs in a task of the call; all else is done
where it is called. Nothing reaches the client before an attempt commits itself (``on_commit``), and
then no other one can.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.errors import HeadwayError, HedgeLost, LimitExceeded
from headway.pipeline import accounting, history, provider_calls, targets
from headway.pipeline.answer_checks import AnswerChecks, find_checks
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_guard import AttemptGuard
from headway.pipeline.attempt_origin import header_lines
from headway.pipeline.attempt_tokens import count_part
from headway.pipeline.call_records import RecordedCall, log_failure, record_failure
from headway.pipeline.candidates import Candidate
from headway.pipeline.continuation import (
    BrokenStream,
    continue_request,
    continued_context,
    find_text,
    is_continued,
    may_continue,
)
from headway.pipeline.gateway import Timer, Upstream
from headway.pipeline.hedge import CANNOT_SEND, Hedge
from headway.pipeline.pinning import Pinning, find_pinning, may_have_state
from headway.pipeline.plain_plans import RoutePlan, find_plain_plan, new_route_plan
from headway.pipeline.plain_start import PlainStart, send_plainly
from headway.pipeline.prepare import prepare
from headway.pipeline.redaction import redact_error
from headway.pipeline.route_plan import plan_route
from headway.pipeline.target_queue import TargetQueue
from headway.ports import AttemptKind
from headway.record import AttemptRole
from headway.routing.retry import Decision, FailureClass, Situation, classify, decide_next
from headway.routing.route import Limits, Route, RouteTarget, Shadow
from headway.routing.target_state import TargetState
from headway.routing.wishes import NO_WISHES, Wishes
from headway.types import HttpRequest, Target

KINDS: Mapping[AttemptRole, AttemptKind] = {
    "fallback": "further",
    "hedge": "further",
    "retry": "retry",
}
NO_TARGETS: tuple[RouteTarget, ...] = ()


class DispatchedCall(RecordedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    abort_reason: HeadwayError | None
    target: Target
    tried: tuple[tuple[Upstream, Target], ...]

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
        may_follow: bool,
        broken: BrokenStream | None = None,
    ) -> Attempt: ...

    def count_overhead(self) -> None:
        """Add the gateway's own time so far."""

    def resume_work(self) -> None:
        """The gateway's own time begins again."""

    def continue_with(self, attempt: Attempt) -> None:
        """It is the one whose answer the client gets, as far as is known."""

    def abort(self, error: HeadwayError) -> None: ...

    def start_shadow(self, target: RouteTarget, decoded: DecodedRequest, route_name: str) -> None:
        """Send a copy of the client's request ``decoded`` to ``target`` soon, for the route."""


class Dispatch:
    """The attempts of one call."""

    # Defaults that most calls keep are on the class.
    _broken: BrokenStream | None = None
    """The stream that the next attempt continues."""
    _checks: AnswerChecks | None = None
    _deadline: float | None = None
    """On the gateway's clock."""
    _has_fallen_back = False
    _hedge: Hedge | None = None
    _last_error: HeadwayError | None = None
    """That of the last attempt."""
    _plan: RoutePlan | None = None
    """None for a call of one model."""
    _pinning: Pinning | None = None
    """Where it may matter to the conversation which provider answers."""
    _queue: TargetQueue | None = None
    """None until it is needed."""
    _shadow: RouteTarget | None = None
    """What gets a copy of the request when the answer begins."""
    _timer: Timer | None = None
    _wishes = NO_WISHES

    def __init__(self, call: DispatchedCall, route: Route, decoded: DecodedRequest) -> None:
        """``decoded`` is the client's request."""
        self._call = call
        self._decoded = decoded
        self.route = route
        self.running: list[Attempt] = []
        if route.fail_on or route.on_content_policy:
            self._checks = find_checks(route, decoded, call.dialect)

    @classmethod
    def after(cls, start: PlainStart, call: DispatchedCall, attempt: Attempt) -> Dispatch:
        """Of a call whose first attempt began without one."""
        route, plan, decoded = start
        dispatch = cls(call, route, decoded)
        dispatch._plan = plan
        call.tried = ((attempt.upstream, call.target),)
        dispatch.running.append(attempt)
        return dispatch

    # --- The first attempt ------------------------------------------------------------------------

    def start_route(self, wishes: Wishes = NO_WISHES) -> None:
        """``wishes`` are what the request asks of the choice of targets. Raises HeadwayError where
        there is no target to send it to."""
        call, route, decoded = self._call, self.route, self._decoded
        plan, self._wishes = None, wishes
        is_ordered = wishes is NO_WISHES and route.strategy == "ordered"
        if is_ordered and decoded.allows_fallbacks:
            plan = find_plain_plan(call, route, decoded)
        plan = plan or new_route_plan(plan_route(call, route, decoded, wishes))
        if plan.has_several_providers and may_have_state(decoded.request, call.client_request.body):
            self._pinning = find_pinning(call, route, decoded, plan)
            plan = plan if self._pinning is None else self._pinning.plan
        self._plan = plan
        if route.shadow is not None:
            self._plan_shadow(route.shadow)
        is_awaited = route.hedging is not None or self._shadow is not None
        committer = self if is_awaited else None
        attempt = send_plainly(call, route, plan, decoded, committer, self._checks)
        if attempt is None:
            self._send(self.queue.take(), "first")
        else:
            self._watch(attempt)

    def start_single(self, upstream: Upstream) -> None:
        """A call of one model, whose request has the names of its provider and its model already.
        Raises HeadwayError."""
        decoded = self._decoded
        target = RouteTarget(provider=decoded.provider, model=decoded.request.model)
        self.queue.put(Candidate(target, upstream, decoded))
        self._send(self.queue.take(), "first")

    def start_shadow(self, target: RouteTarget) -> None:
        """Raises HeadwayError."""
        self.queue.replace((target,))
        self._send(self.queue.take(), "shadow")

    def _plan_shadow(self, shadow: Shadow) -> None:
        is_bound = self._pinning is not None and self._pinning.is_bound
        if not is_bound and self._call.gateway.rng() < shadow.share:
            self._shadow = shadow.target

    def start_deadline(self, seconds: float) -> None:
        """End the call so many seconds after it began."""
        call = self._call
        self._deadline = call.started + seconds
        left = self._deadline - call.gateway.clock()
        self._timer = call.gateway.call_later(max(left, 0.0), self._on_deadline)

    def _on_deadline(self) -> None:
        self._timer = None
        seconds = self.route.limits.total
        message = f"There was no complete answer within {seconds:g} s."
        self._call.abort(LimitExceeded(message, code="deadline_exceeded"))

    @property
    def queue(self) -> TargetQueue:
        """The targets after those that were tried."""
        queue = self._queue
        if queue is None:
            queue = self._queue = TargetQueue(self._call, self._decoded, self.route.name)
            if self._plan is not None:
                queue.plan(self._plan, min(self._call.attempts, 1))
        return queue

    # --- Send -------------------------------------------------------------------------------------

    def _send(self, candidate: Candidate, role: AttemptRole) -> None:
        """Send the request to ``candidate``, or to the first after it that it can be sent to. What
        must be awaited for that is awaited in a task. Raises HeadwayError where there is none."""
        if candidate.context is not None:
            try:
                if self.choose_target(candidate):
                    self.encode_and_send(candidate, candidate.context, role)
                    return
            except CANNOT_SEND as error:
                self._send_instead(candidate, role, error)
                return
        self._call.start(self._resolve_and_send(candidate, role))

    def _send_instead(self, candidate: Candidate, role: AttemptRole, error: HeadwayError) -> None:
        """``candidate`` cannot be sent it."""
        self.queue.pass_over(candidate.id, error)
        is_last = self._broken is not None or self.queue.peek() is None
        if is_last and self._last_error is not None:
            raise self._last_error
        self._send(self.queue.take(), role)

    async def make_ready(self, candidate: Candidate) -> ResponseContext:
        """Await what the request to ``candidate`` needs: earlier messages, credentials, a model
        that starts. Raises what ``history.complete``, ``prepare`` and ``targets.resolve`` raise."""
        call, upstream = self._call, candidate.upstream
        if candidate.context is None:
            candidate.decoded = await history.complete(call, upstream, candidate.decoded)
            candidate.context = prepare(call, upstream, candidate.decoded)
        if not self.choose_target(candidate):
            candidate.http_target = await targets.resolve(call.gateway, upstream, candidate.decoded)
        return candidate.context

    async def _resolve_and_send(self, candidate: Candidate, role: AttemptRole) -> None:
        call = self._call
        call.count_overhead()
        try:
            with call.interruptible():
                context = await self.make_ready(candidate)
            self.encode_and_send(candidate, context, role)
        except CANNOT_SEND as error:
            if call.abort_reason is not None:
                raise
            self._send_instead(candidate, role, error)

    def choose_target(self, candidate: Candidate) -> bool:
        """Set its address and its key. False: they must be awaited."""
        if candidate.http_target is not None and not self._needs_other_key(candidate):
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

    def _needs_other_key(self, candidate: Candidate) -> bool:
        """Whether the key of its last attempt was refused since, and another one is left."""
        key, gateway = candidate.key, self._call.gateway
        if key is None:
            return False
        state, now = gateway.routing_state, gateway.clock()
        is_blocked = state.key_blocked_s(candidate.id, key.id, now) > 0.0
        return is_blocked and targets.has_key_left(
            candidate.upstream, state, candidate.id, now, candidate.tried_keys
        )

    def encode_and_send(
        self, candidate: Candidate, context: ResponseContext, role: AttemptRole
    ) -> None:
        upstream, key, target = candidate.upstream, candidate.key, candidate.http_target
        assert target is not None
        http_request = candidate.http_request
        if http_request is None:
            http_request = provider_calls.encode(upstream, context.sent, target)
            candidate.http_request = http_request
        key_id, key_name = (upstream.name, None) if key is None else (key.id, key.name)
        if candidate.has_clients_key:
            key_id = ""
        kind = "further" if candidate.tried_keys else KINDS.get(role, "first")
        decision = self.queue.describe(candidate)
        self._launch(
            upstream, context, target, http_request, role, candidate.id, decision,
            key_id, key_name, kind, candidate,
        )  # fmt: skip

    def _launch(
        self,
        upstream: Upstream,
        context: ResponseContext,
        target: Target,
        http_request: HttpRequest,
        role: AttemptRole,
        target_id: str,
        decision: str | None,
        key_id: str,
        key_name: str | None,
        kind: AttemptKind,
        candidate: Candidate | None,
    ) -> None:
        """``key_id`` is empty for the client's own key."""
        call, route, gateway = self._call, self.route, self._call.gateway
        now, observer, is_stream = gateway.clock(), None, context.call.asks_stream
        limits, is_awaited = route.limits, route.hedging is not None or self._shadow is not None
        if self._broken is not None:
            context = continued_context(context, target_id)
        if key_id:
            observer = gateway.routing_state.begin(target_id, key_id, now, is_stream, kind)
        number = call.attempts + 1
        name = route.name or None
        guard = AttemptGuard(
            number, role, target_id, name, key_name, decision, len(http_request.body), gateway,
            self if is_awaited else None, observer, limits, self._checks, now,
            header_lines(target_id, name), candidate,
        )  # fmt: skip
        may_follow = bool(route.targets) or number < route.max_attempts
        attempt = call.send(
            upstream, context, target, http_request, guard, may_follow, self._broken
        )
        self._watch(attempt)

    def _watch(self, attempt: Attempt) -> None:
        """It was just sent."""
        self._call.tried += ((attempt.upstream, self._call.target),)
        guard, hedging, limits = attempt.guard, self.route.hedging, self.route.limits
        assert isinstance(guard, AttemptGuard)
        self.running.append(attempt)
        if limits.time_to_first_token or limits.idle or limits.tokens_per_second:
            guard.start(attempt)
        if hedging is not None and guard.role == "first":
            self._hedge = Hedge(self._call, self, hedging)
            self._hedge.plan(guard.target_id, attempt.context.call.asks_stream, guard.started)

    def _candidate_of(self, guard: AttemptGuard, attempt: Attempt) -> Candidate:
        """What the request of ``attempt`` was made of."""
        if guard.candidate is not None:
            return guard.candidate
        assert self._plan is not None
        candidate = Candidate(self._plan.targets[0], attempt.upstream, attempt.context.call)
        candidate.context, candidate.is_prepared = attempt.context, True
        return candidate

    # --- An attempt is over -----------------------------------------------------------------------

    def takes_over(self, attempt: Attempt) -> bool:
        """Whether the call goes on after ``attempt``, which is over."""
        guard, error, call = attempt.guard, attempt.error, self._call
        assert isinstance(guard, AttemptGuard)
        self.running.remove(attempt)
        guard.close(attempt, attempt.ended or call.gateway.clock())
        if error is None:
            if self._pinning is not None:
                self._pinning.remember(call.gateway, attempt.upstream.name, attempt.reply_id)
            return False
        if isinstance(error, HedgeLost) or (self.running and not attempt.is_committed):
            self._record_at_once(attempt, error)
            if not isinstance(error, HedgeLost) and call.abort_reason is None:
                call.continue_with(self.running[0])
            return True
        if call.abort_reason is not None:
            return False
        if attempt.is_committed:
            return self.route.continues_streams and self._continue(attempt, error)
        candidate = self._candidate_of(guard, attempt)
        goes_on = self._follow(attempt, candidate, error)
        if not goes_on and self._queue is not None:  # others may have been passed over since
            guard.decision = self._queue.describe(candidate)
        return goes_on

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
            candidate, role = self.queue.take(), "fallback"
        self._last_error = error
        wait_s = decision.delay_s if decision.step == "same" else None
        self._call.start(self._send_after(attempt, error, candidate, role, wait_s))
        return True

    def _continue(self, attempt: Attempt, error: HeadwayError) -> bool:
        """Let another target go on with a stream of which the client has some."""
        call = self._call
        has_attempts = call.attempts < self.route.max_attempts
        text = find_text(attempt) if has_attempts and classify(error) == "transient" else None
        if attempt.encoder is None or text is None:
            return False
        decoded = continue_request(self._decoded, call.dialect, text)
        if decoded is None:
            return False
        able = [each for each in self.queue.rest() if may_continue(call.snapshot, each)]
        queue = TargetQueue(call, decoded, self.route.name)
        queue.replace(able, "goes on with a broken stream")
        while (candidate := queue.peek()) is not None:
            queue.take()
            if candidate.context is not None and is_continued(candidate.context):
                self._queue, self._last_error = queue, error
                call.start(self._send_after(attempt, error, candidate, "fallback", None))
                return True
        return False

    def _decide(self, candidate: Candidate, error: HeadwayError) -> Decision:
        call, route, now = self._call, self.route, self._call.gateway.clock()
        failure = classify(error)
        has_fallback = self._fall_back(failure)
        situation = Situation(
            failures=candidate.failures,
            attempts=call.attempts,
            retries=route.retries,
            max_attempts=route.max_attempts,
            has_next_key=self._has_next_key(candidate, failure, now),
            has_next_target=self.queue.peek() is not None,
            has_context_fallback=has_fallback,
            has_policy_fallback=has_fallback,
            may_retry=candidate.has_clients_key or self._state_of(candidate).budget.allows(now),
            time_left_s=None if self._deadline is None else self._deadline - now,
        )
        return decide_next(error, situation, call.gateway.rng())

    def _fall_back(self, failure: FailureClass) -> bool:
        """Let the targets follow that the route names for this failure, as far as the request may
        use them. Returns whether there is one."""
        route, fallbacks = self.route, NO_TARGETS
        if failure == "context_window":
            fallbacks = route.on_context_window
        elif failure == "content_policy":
            fallbacks = route.on_content_policy
        is_bound = self._pinning is not None and self._pinning.is_bound
        if not fallbacks or is_bound or self._has_fallen_back:
            return False
        self._has_fallen_back = True
        following = replace(route, targets=fallbacks, strategy="ordered", on_context_window=())
        plan = new_route_plan(plan_route(self._call, following, self._decoded, self._wishes))
        why = f"{failure}, {plan.why}"
        self.queue.replace(plan.targets, why, plan.skipped, plan.is_last_resort)
        return self.queue.peek() is not None

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
        if attempt.is_committed:
            self._broken = BrokenStream(attempt, result.usage)
        with call.interruptible():
            if wait_s is not None:
                await call.gateway.sleep(wait_s)
        self._send(candidate, role)

    def _state_of(self, candidate: Candidate) -> TargetState:
        return self._call.gateway.routing_state.target(candidate.id)

    # --- Attempts beside each other ---------------------------------------------------------------

    def on_commit(self, attempt: Attempt) -> None:
        if self._hedge is not None:
            self._hedge.stop()
        if self._shadow is not None:
            self._call.start_shadow(self._shadow, self._decoded, self.route.name)
            self._shadow = None
        if len(self.running) > 1:
            self._call.continue_with(attempt)
            self._cancel(attempt, HedgeLost("Another attempt answered first."))

    def cancel_all_but(self, attempt: Attempt | None, error: HeadwayError) -> None:
        """End all attempts but ``attempt``, with which the call ends."""
        if self._hedge is not None:
            self._hedge.stop()
        self._cancel(attempt, error)

    def _cancel(self, kept: Attempt | None, error: HeadwayError) -> None:
        for other in self.running[:]:
            if other is not kept:
                other.cancel(error, self._call.gateway.clock())

    def close(self) -> None:
        """The call is over."""
        if self._hedge is not None:
            self._hedge.stop()
            self._hedge = None  # it refers to this dispatch
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.running:
            self.running.clear()
        self._broken = None  # it refers to an attempt


@lru_cache(maxsize=64)
def shadow_route(name: str) -> Route:
    """For a copy of a call of the route with this name."""
    return Route(name=name, targets=(), max_attempts=1)


@lru_cache(maxsize=64)
def single_route(retries: int, keys: int, timeout_s: float | None) -> Route:
    """For a call of one model, of a provider with so many keys. ``timeout_s`` is for all of it."""
    attempts = 1 + retries + max(0, keys - 1)
    limits = Limits(total=timeout_s)
    return Route(name="", targets=(), retries=retries, max_attempts=attempts, limits=limits)
