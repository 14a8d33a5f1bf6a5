"""One client request, from its bytes to its reply and its record.

    authenticate -> decode -> plan -> attempt, until one is committed -> account -> record -> end

Most of it is plain function calls, made where bytes arrive: the client's to ``begin``, the
provider's to the ``Attempt`` and then ``on_attempt_done``. An asyncio task runs only where
something must be awaited: credentials, a model that starts, the delay before another attempt, a
token count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from headway.dialects.base import ClientRequest, DecodedRequest, Dialect, ResponseContext
from headway.errors import (
    ClientGone,
    HeadwayError,
    InternalError,
    LedgerUnavailable,
    ShuttingDown,
)
from headway.pipeline import accounting, content, response_head
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt import Attempt, unprocessable
from headway.pipeline.attempt_guard import AttemptGuard
from headway.pipeline.attempt_tokens import count_part, count_whole
from headway.pipeline.cache_policy import CachePolicy, policy_for
from headway.pipeline.cached_call import CacheUse
from headway.pipeline.caching import find_lookup, name_target, policy_of_route
from headway.pipeline.call_records import (
    facts_of,
    log_defect,
    log_failure,
    record_attempt,
    record_failure,
)
from headway.pipeline.candidates import check_is_for_route
from headway.pipeline.continuation import BrokenStream
from headway.pipeline.direct_send import prepare_and_send, recall_and_send
from headway.pipeline.dispatch import Dispatch, shadow_route, single_route
from headway.pipeline.drain import DiscardSink, Drain, output_cost, start_drain
from headway.pipeline.error_reply import encode_reply
from headway.pipeline.field_limits import ALWAYS_ALLOWED, check_lengths
from headway.pipeline.gateway import (
    CLIENT_LEFT,
    CLOSING,
    DEFECT,
    NO_RECORD,
    RECORD_RETRY_S,
    DrainLimits,
    Gateway,
    Upstream,
)
from headway.pipeline.interruptible import InterruptibleCall
from headway.pipeline.kept_answer import read_kept, read_shared
from headway.pipeline.model_names import find_upstream
from headway.pipeline.pinning import may_have_state
from headway.pipeline.plain_plans import find_plain_plan
from headway.pipeline.plain_start import PlainStart, send_plainly
from headway.pipeline.redaction import find_secrets, redact_error
from headway.pipeline.request_body import apply_headers, decode_request
from headway.pipeline.request_routes import apply_routing_headers, find_request_route
from headway.pipeline.sending import continue_with, end_stream, send_attempt
from headway.pipeline.shared_response import SharedResponse
from headway.policy.base_urls import check_base_url
from headway.policy.gateway_loop import find_earlier_gateways
from headway.policy.keys import identify
from headway.policy.request_headers import find_request_id, read_facts
from headway.ports import CachedResponse, ResponseHeaders, Sink
from headway.record import CacheStatus
from headway.routing.route import Route, RouteTarget
from headway.routing.wishes import NO_WISHES, Wishes
from headway.types import Headers, HeadFacts, HttpRequest, Target

MAX_SHADOWS = 32
"""Copies of requests in progress, in one process."""
NO_TARGET = Target(provider="", base_url="")


class GatewayCall(InterruptibleCall):
    """The state of one client request. ``started`` is the clock when it was read completely."""

    # Defaults that most calls keep are on the class.
    attempts = 0
    decoded: DecodedRequest | None = None
    earlier_gateways = ""
    """The ids of the gateways that the request came through, as a header's value."""
    is_over = False
    key_id: str | None = None
    overhead_s: float | None = None
    """The gateway's own time until the last attempt's request was handed to the transport; None
    before. Waiting for earlier attempts, a starting model, or credentials is not included."""
    upstream: Upstream | None = None
    upstream_request_bytes: int | None = None
    attempt: Attempt | None = None
    """The last attempt."""
    cache_use: CacheUse | None = None
    """None where the cache has nothing to do with the call, or no longer."""
    cache_status: CacheStatus | None = None
    """What it had to do with the call, once that is over."""
    tried: tuple[tuple[Upstream, Target], ...] = ()
    """All that the request was sent to, where it may be sent to several."""
    drain: Drain | None = None
    """Reads the last attempt's response without the client."""
    recorded: Attempt | None = None
    """The last attempt with a record."""
    records = 0
    """Written so far."""
    on_record: Callable[[bytes], None] | None = None
    """Called with each record, as a line of JSON, when it is written."""
    shadow_of: str | None = None
    """The id of the call that this one is a copy of."""
    _dispatch: Dispatch | None = None
    """Only where another attempt may follow a failed one, or follows a ``_plain_start``."""
    _plain_start: PlainStart | None = None
    target = NO_TARGET

    def __init__(
        self,
        gateway: Gateway,
        dialect: Dialect,
        client_request: ClientRequest,
        sink: Sink,
        started: float,
    ) -> None:
        self.gateway = gateway
        self.dialect = dialect
        self.client_request = client_request
        self.sink = sink
        self.started = started
        self.id = gateway.new_id()
        """The id of the reply, and of the first record."""
        self.request_id = self.id
        """The id under which the request is logged and recorded: the client's own, if it sent
        one."""
        self.snapshot = gateway.snapshot
        self._resumed = started

    # --- Called by the server ---------------------------------------------------------------------

    def begin(self) -> None:
        """Run until a request is sent to the provider, or until something must be awaited."""
        gateway, client_request = self.gateway, self.client_request
        self.sink.on_gone = self._on_client_gone
        gateway.active.add(self)
        try:
            facts = client_request.facts
            if facts is None:
                facts = read_facts(client_request.headers, client_request.query)
            own_headers = facts.own_headers
            if own_headers:
                self._read_own_headers(own_headers)
            if gateway.is_closing:
                raise ShuttingDown(CLOSING)
            if gateway.is_refusing:
                raise LedgerUnavailable(NO_RECORD, retry_after_s=RECORD_RETRY_S)
            self.key_id = key_id = identify(facts.key_digests, self.snapshot.keys)
            limits = self.snapshot.body_limit, self.snapshot.json_limit
            decoded = decode_request(self.dialect, client_request, *limits)
            if own_headers or decoded.session_hint is not None:
                decoded = apply_headers(decoded, own_headers)
            self.decoded = decoded
            has_own_target = decoded.api_key or decoded.base_url or decoded.options
            model_length = len(decoded.request.model)
            if has_own_target or decoded.session_id or model_length > ALWAYS_ALLOWED:
                check_lengths(decoded)
            if decoded.base_url:
                check_base_url(self.snapshot.base_urls, key_id)
            decoded, route, wishes = find_request_route(self.snapshot, decoded, self.dialect.wire)
            self.decoded = decoded
            if route is None:
                self._begin_model(decoded, facts)
            else:
                if has_own_target and decoded.own_reply is None:
                    check_is_for_route(route, decoded)
                self._begin_route(route, decoded, facts, wishes)
        except Exception as error:
            self._fail(error)

    def _begin_model(self, decoded: DecodedRequest, facts: HeadFacts) -> None:
        """The request names one model of one provider. Raises HeadwayError."""
        snapshot, dialect = self.snapshot, self.dialect
        upstream, self.decoded = find_upstream(snapshot, decoded, dialect.wire)
        self.upstream = upstream
        if decoded.own_reply is not None and upstream.provider.wire != dialect.wire:
            self._reply_without_provider(decoded.own_reply)
            return
        has_own_target = decoded.api_key or decoded.base_url or decoded.options
        target = None if has_own_target else upstream.target
        send: Callable[[], None] | None = None
        if decoded.retries or upstream.keys or decoded.timeout_s is not None:
            route = single_route(decoded.retries or 0, len(upstream.keys), decoded.timeout_s)
            self._dispatch = self._new_dispatch(route, self.decoded)
            send = partial(self._dispatch.start_single, upstream)
        elif decoded.recall is not None:
            self.start(recall_and_send(self, upstream))
            return
        policy = policy_for(snapshot.cache, None, facts.own_headers)
        if policy is not None:
            send = send or partial(prepare_and_send, self, upstream, target)
            name = name_target(upstream, self.decoded.request.model)
            if self._use_cache(policy, name, facts.cache_headers, send):
                return
        if send is None:
            prepare_and_send(self, upstream, target)
        else:
            send()

    def _begin_route(
        self, route: Route, decoded: DecodedRequest, facts: HeadFacts, wishes: Wishes
    ) -> None:
        """Raises HeadwayError."""
        if decoded.own_reply is not None:
            self._reply_without_provider(decoded.own_reply)
            return
        read_s, own_headers = facts.read_timeout_s, facts.own_headers
        if own_headers or read_s is not None or decoded.retries is not None:
            route = apply_routing_headers(route, decoded, read_s)
        snapshot = self.snapshot
        is_plain = route.is_plain and wishes is NO_WISHES and decoded.allows_fallbacks
        if is_plain and policy_for(snapshot.cache, None, own_headers) is None:
            plan = find_plain_plan(self, route, decoded)
            body = self.client_request.body
            if plan is not None and not (
                plan.has_several_providers and may_have_state(decoded.request, body)
            ):
                self._plain_start = route, plan, decoded
                if send_plainly(self, route, plan, decoded) is not None:
                    return
        self._dispatch = dispatch = self._new_dispatch(route, decoded)
        policy, name = policy_of_route(snapshot, route, wishes, own_headers)
        if policy is None or not self._use_cache(
            policy, name, facts.cache_headers, partial(dispatch.start_route, wishes)
        ):
            dispatch.start_route(wishes)

    def _new_dispatch(self, route: Route, decoded: DecodedRequest) -> Dispatch:
        """Its deadline holds also while the call waits for the response of another one."""
        dispatch = Dispatch(self, route, decoded)
        if route.limits.total is not None:
            dispatch.start_deadline(route.limits.total)
        return dispatch

    def _use_cache(
        self, policy: CachePolicy, target: str, headers: Headers, send: Callable[[], None]
    ) -> bool:
        """``target`` names what answers. False: the cache has nothing to do with the call."""
        decoded = self.decoded
        assert decoded is not None
        lookup = find_lookup(
            policy,
            decoded,
            headers,
            key_id=self.key_id or "",
            target=target,
            wire=self.dialect.wire or self.dialect.name,
        )
        if lookup is None:
            return False
        self.cache_use = CacheUse(self, lookup, send)
        self.cache_use.begin()
        return True

    def read_shared(
        self, upstream: Upstream, decoded: DecodedRequest, shared: SharedResponse
    ) -> None:
        """Answer with a response that another call is getting, or that arrives at its pace."""
        read_shared(self, upstream, decoded, shared)

    def read_kept(
        self,
        upstream: Upstream,
        decoded: DecodedRequest,
        response: CachedResponse,
        key: bytes | None,
    ) -> None:
        """Answer with a response that is kept, all at once, under ``key`` if it has been before."""
        reply = read_kept(self, upstream, decoded, response, key)
        if reply is not None:
            self.sink.send_response(200, *reply)
            self._close()

    @property
    def route_name(self) -> str | None:
        """None for a call of one model."""
        route = None if self._dispatch is None else self._dispatch.route
        return None if route is None or not route.targets else route.name

    def _read_own_headers(self, headers: Headers) -> None:
        """Raises LoopDetected."""
        self.request_id = find_request_id(headers) or self.id
        self.earlier_gateways = find_earlier_gateways(headers, self.gateway.gateway_id)

    def abort(self, error: HeadwayError) -> None:
        """End the call now. Send ``error`` to the client if it is still connected."""
        self.abort_reason = self.abort_reason or error
        if self._dispatch is not None:
            self._dispatch.cancel_all_but(self.attempt, error)
        if self._waiting_task is not None:
            self._waiting_task.cancel()
        elif self.attempt is not None:
            self.attempt.cancel(error, self.gateway.clock())

    def keep_alive(self, now: float, silence_s: float) -> None:
        """Write a comment to a stream of server-sent events that was silent for ``silence_s``, or
        what its dialect has instead; and end a response that is finished."""
        attempt, decoded = self.attempt, self.decoded
        if attempt is None or decoded is None:
            return
        attempt.end_if_finished(now)
        if not decoded.stream:
            return
        if not decoded.sse and decoded.keep_alive is None:
            return
        last_write = max(attempt.last_write, self.started)
        if now - last_write >= silence_s and not attempt.is_over:
            attempt.keep_alive(now)

    # --- Plan and send ----------------------------------------------------------------------------

    def _reply_without_provider(self, encode: Callable[[float], bytes]) -> None:
        body = encode(self.gateway.unix_time())
        self._close()
        self.sink.send_response(200, ResponseHeaders(self.request_id), body)

    def send(
        self,
        upstream: Upstream,
        context: ResponseContext,
        target: Target,
        http_request: HttpRequest,
        guard: AttemptGuard | None = None,
        may_follow: bool = False,
        broken: BrokenStream | None = None,
    ) -> Attempt:
        """Start an attempt. It ends with ``on_attempt_done``. ``may_follow``: another one may.
        ``broken`` is the stream that it continues."""
        self.target = target
        return send_attempt(self, upstream, context, http_request, guard, may_follow, broken)

    @property
    def _is_free(self) -> bool:
        """The response is not the provider's own, who can still be asked."""
        return self.cache_use is not None and self.cache_use.is_free

    def resume_work(self) -> None:
        """The gateway's own time begins again."""
        self._resumed = self.gateway.clock()

    def continue_with(self, attempt: Attempt) -> None:
        """Of attempts beside each other it is the one whose answer the client gets, as far as is
        known."""
        continue_with(self, attempt)

    # --- A copy whose answer no client sees -------------------------------------------------------

    def start_shadow(self, target: RouteTarget, decoded: DecodedRequest, route_name: str) -> None:
        """Send a copy of the client's request ``decoded`` to ``target``, unless too many copies are
        on their way. It starts when what is done now is done, so that the client does not wait."""
        gateway = self.gateway
        if gateway.shadows >= MAX_SHADOWS or gateway.is_closing:
            return
        gateway.shadows += 1
        request, sink = self.client_request, DiscardSink()
        shadow = GatewayCall(gateway, self.dialect, request, sink, gateway.clock())
        shadow.shadow_of, shadow.key_id, shadow.decoded = self.id, self.key_id, decoded
        shadow.earlier_gateways = self.earlier_gateways
        asyncio.get_running_loop().call_soon(shadow._begin_as_shadow, target, decoded, route_name)

    def _begin_as_shadow(self, target: RouteTarget, decoded: DecodedRequest, name: str) -> None:
        self.started = self._resumed = self.gateway.clock()
        self.gateway.active.add(self)
        try:
            self._dispatch = Dispatch(self, shadow_route(name), decoded)
            self._dispatch.start_shadow(target)
        except Exception as error:
            self._fail(error)

    # --- An attempt is over -----------------------------------------------------------------------

    def on_attempt_done(self, attempt: Attempt) -> None:
        """The usual case is a complete response whose tokens the provider reported."""
        if self.is_over:  # a defect ended the call while the attempt was running
            if attempt.guard is not None:
                attempt.guard.close(attempt, self.gateway.clock())
            return
        try:
            self._finish_or_follow(attempt)
        except Exception as error:
            self._fail(error)

    def _finish_or_follow(self, attempt: Attempt) -> None:
        guard, error = attempt.guard, attempt.error
        if guard is not None:
            if error is None and self._dispatch is None:
                guard.close(attempt, attempt.ended or self.gateway.clock())
            elif self._goes_on_after(attempt):
                return
        if error is None:
            result = attempt.result()
            if accounting.needs_count(result, None):
                self.start(self._count_and_finish(attempt, result))
            else:
                self._finish(attempt, result)
        elif attempt.is_committed or self.abort_reason is not None or not self._is_free:
            # the client has content already or has disconnected, or no other attempt may follow
            self._fail(self.abort_reason or error)
        else:
            assert self.cache_use is not None
            self.cache_use.send_instead()

    def _goes_on_after(self, attempt: Attempt) -> bool:
        """Whether another attempt follows ``attempt``, or is under way."""
        if self._dispatch is None:
            assert self._plain_start is not None
            self._dispatch = Dispatch.after(self._plain_start, self, attempt)
        return self._dispatch.takes_over(attempt)

    async def _count_and_finish(self, attempt: Attempt, result: AttemptResult) -> None:
        self._finish(attempt, await count_whole(self.gateway, attempt, result))

    def _finish(self, attempt: Attempt, result: AttemptResult) -> None:
        """The response is complete: write its record, then send its end to the client."""
        if self.drain is not None:
            self._send_error(ClientGone(CLIENT_LEFT), attempt, result)
            return
        context, encoder = attempt.context, attempt.encoder
        facts = facts_of(self)
        totals = accounting.total(facts, result, self.snapshot.prices)
        if self.cache_use is not None:
            self.cache_use.keep(attempt, result)
        if encoder is not None:
            metrics = accounting.metrics(facts, result, totals)
            pieces = encoder.end(attempt.response, metrics, facts.now)
            attempt.bytes_out += sum(map(len, pieces))
            facts = content.keep_call(self, facts, attempt, pieces[-1] if pieces else b"")
            record_attempt(self, attempt, facts, result, totals, None)
            self._close()
            end_stream(self.sink, pieces)
            return
        if context.is_passthrough and self._passes_through(attempt):
            body = attempt.body
        else:
            metrics = accounting.metrics(facts, result, totals)
            body = self.dialect.encode(context, attempt.accumulator, metrics, facts.now)
        attempt.bytes_out = len(body)
        headers = response_head.describe_response(facts, result, totals)
        facts = content.keep_call(self, facts, attempt, body)
        record_attempt(self, attempt, facts, result, totals, None)
        self.sink.send_response(200, headers, body)
        self._close()

    def _passes_through(self, attempt: Attempt) -> bool:
        """Of the same wire format, a stream that was not requested is encoded, and so is a body
        that strict clients refuse. A summary exists for others only."""
        body = attempt.body
        return bool(body) and (attempt.is_summarized or self.dialect.passes_through(body))

    # --- The call fails ---------------------------------------------------------------------------

    def _fail(self, error: Exception, may_await: bool = True) -> None:
        """Record the failure, and send the error in the client's dialect."""
        if not isinstance(error, HeadwayError):
            log_defect(self, "the request failed on a defect of the gateway", error)
            error = self._defect_error()
        self._redact(error)
        attempt = self.attempt
        if attempt is None or attempt is self.recorded:
            self._send_error(error)
            return
        try:
            self._fail_attempt(attempt, error, may_await)
        except Exception as defect:
            log_defect(self, "the result of the request is unknown", defect)
            if not self.is_over:
                attempt.forget_response()
                self._send_error(error, attempt, attempt.result())

    def _defect_error(self) -> HeadwayError:
        attempt = self.attempt
        if attempt is not None and attempt.is_over:
            return unprocessable(attempt.upstream)
        return InternalError(DEFECT)

    def _fail_attempt(self, attempt: Attempt, error: HeadwayError, may_await: bool) -> None:
        result = attempt.result()
        if accounting.needs_count(result, error):
            if may_await:
                self.start(self._count_and_fail(attempt, result, error))
                return
            result = accounting.estimate_tokens(result, attempt.accumulator.produced())
        self._send_error(error, attempt, result)

    async def _count_and_fail(
        self, attempt: Attempt, result: AttemptResult, error: HeadwayError
    ) -> None:
        result = await count_part(self.gateway, attempt, result, error)
        self._send_error(error, attempt, result)

    def _send_error(
        self,
        error: HeadwayError,
        attempt: Attempt | None = None,
        result: AttemptResult | None = None,
    ) -> None:
        """``attempt`` is the one that ``error`` ended. Without one, the error ended the wait for an
        attempt: the request is recorded as refused."""
        self._close()
        try:
            log_failure(self, "request failed", error, attempt)
            last = self.attempt
            encoder = None if last is None or not last.has_headers else last.encoder
            pieces = encode_reply(self, error, encoder)
            if attempt is not None:
                attempt.bytes_out += sum(map(len, pieces))
            if self.key_id is not None:
                record_failure(self, attempt, result, error)
            if pieces and encoder is not None:
                end_stream(self.sink, pieces)
            elif encoder is not None and not isinstance(error, ClientGone):
                self.sink.abort()
            elif pieces:
                status = self.dialect.status_of(error)
                headers = response_head.describe_error(facts_of(self), error, status, result)
                self.sink.send_response(status, headers, pieces[0])
        finally:
            # These errors refer to stack frames: without them everything is freed now.
            error.__traceback__ = error.__context__ = None

    def _redact(self, error: HeadwayError) -> None:
        """Redact secrets: some providers quote the key that they refuse."""
        redact_error(error, self.secrets())

    def secrets(self) -> list[str]:
        """The keys of the client's request and of the providers."""
        tried = self.tried
        if self.upstream is not None:
            tried = (*tried, (self.upstream, self.target))
        own_key = None if self.decoded is None else self.decoded.api_key
        return find_secrets(tried, self.client_request.headers, own_key)

    def count_overhead(self) -> None:
        """Add the gateway's own time so far. From here on it waits."""
        self.overhead_s = (self.overhead_s or 0.0) + self.gateway.clock() - self._resumed

    # --- Tasks, and the end -----------------------------------------------------------------------

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self.gateway.start(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """The body of each task of this call: an error that ends it is sent to the client."""
        try:
            await work
        except Exception as error:
            self._fail(error, may_await=False)  # what is awaited may have failed
            error.__traceback__ = None  # its stack frames refer to this call
        except asyncio.CancelledError:  # the event loop is closing
            if not self.is_over:
                self._fail(ShuttingDown(CLOSING), may_await=False)
            raise

    def _on_client_gone(self) -> None:
        if self.is_over:
            return
        attempt, snapshot, left = self.attempt, self.snapshot, ClientGone(CLIENT_LEFT)
        output_usd = partial(output_cost, attempt, snapshot.prices)
        limits = self._drain_limits
        self.drain = start_drain(self.gateway, limits, attempt, self.sink, output_usd)
        if self.drain is None:
            self.abort(left)
        else:
            self.abort_reason = left
            if self._dispatch is not None:
                self._dispatch.cancel_all_but(attempt, left)

    def _drain_limits(self) -> DrainLimits | None:
        own = None if self.cache_use is None else self.cache_use.drain_limits
        return own or self.snapshot.drain

    def _close(self) -> None:
        self.is_over = True
        self.gateway.active.discard(self)
        if self.shadow_of is not None:
            self.gateway.shadows -= 1
        if self._dispatch is not None:
            self._dispatch.close()
            self._dispatch = None  # it refers to this call
        if self.cache_use is not None:
            self.cache_status = self.cache_use.close()
            self.cache_use = None  # it refers to this call
        sink = self.sink
        sink.on_gone = sink.on_pause = sink.on_resume = None
