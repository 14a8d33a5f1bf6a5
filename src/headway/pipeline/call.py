"""One client request, from its bytes to its reply and its record.

    authenticate -> decode -> plan -> attempt, until one is committed -> account -> record -> end

Most of it is plain function calls, made where bytes arrive: the client's to ``begin``, the
provider's to the ``Attempt`` and then ``on_attempt_done``. An asyncio task runs only where
something must be awaited: credentials, a model that starts, the delay before another attempt, a
token count.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import (
    ClientRequest,
    DecodedRequest,
    Dialect,
    ResponseContext,
)
from headway.errors import (
    ClientGone,
    HeadwayError,
    InternalError,
    LedgerUnavailable,
    ShuttingDown,
)
from headway.pipeline import (
    accounting,
    content,
    history,
    provider_calls,
    response_head,
    targets,
)
from headway.pipeline.accounting import AttemptResult, AttemptTotals, RequestFacts
from headway.pipeline.attempt import Attempt, unprocessable
from headway.pipeline.attempt_tokens import count_part, count_whole
from headway.pipeline.drain import Drain, output_cost, start_drain
from headway.pipeline.error_reply import encode_reply
from headway.pipeline.failure_log import fields, log_call_failure
from headway.pipeline.field_limits import ALWAYS_ALLOWED, check_lengths
from headway.pipeline.gateway import (
    CLIENT_LEFT,
    CLOSING,
    DEFECT,
    NO_RECORD,
    RECORD_RETRY_S,
    Gateway,
    Upstream,
)
from headway.pipeline.interruptible import InterruptibleCall
from headway.pipeline.model_names import find_upstream
from headway.pipeline.redaction import authorization_tokens, redact_error
from headway.pipeline.relayed_attempt import attempt_class
from headway.pipeline.request_body import apply_headers, decode_request
from headway.policy.base_urls import check_base_url
from headway.policy.gateway_loop import HEADER as LOOP_HEADER
from headway.policy.gateway_loop import find_earlier_gateways
from headway.policy.keys import authorize
from headway.policy.request_headers import find_request_id, select_own_headers
from headway.ports import ResponseHeaders, Sink
from headway.routing.retry import Try, decide
from headway.types import Headers, Target

log = logging.getLogger("headway")
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
    _attempt: Attempt | None = None
    """The last attempt."""
    _drain: Drain | None = None
    """Reads the last attempt's response without the client."""
    _recorded: Attempt | None = None
    """The last attempt with a record."""
    _records = 0
    _target = NO_TARGET

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
            own_headers = select_own_headers(client_request.headers)
            if own_headers:
                self._read_own_headers(own_headers)
            if gateway.is_closing:
                raise ShuttingDown(CLOSING)
            if gateway.is_refusing:
                raise LedgerUnavailable(NO_RECORD, retry_after_s=RECORD_RETRY_S)
            self.key_id = key_id = authorize(
                client_request.headers, self.snapshot.keys, client_request.query
            )
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
            upstream, self.decoded = find_upstream(self.snapshot, decoded, self.dialect.wire)
            self.upstream = upstream
            if decoded.own_reply is not None and upstream.provider.wire != self.dialect.wire:
                self._reply_without_provider(decoded.own_reply)
                return
            if decoded.recall is not None:
                self._start(self._recall_and_send(upstream))
            else:
                self._plan_and_send(upstream, None if has_own_target else upstream.target)
        except Exception as error:
            self._fail(error)

    async def _recall_and_send(self, upstream: Upstream) -> None:
        self._count_overhead()
        with self._interruptible():
            self.decoded = await history.complete(self, upstream)
        self._plan_and_send(upstream)

    def _plan_and_send(self, upstream: Upstream, target: Target | None = None) -> None:
        """``target`` is a fixed one."""
        assert self.decoded is not None
        context = self._plan(upstream, self.decoded)
        target = target or targets.build_at_once(upstream, self.decoded)
        if target is not None:
            self._encode_and_send(upstream, context, target)
        else:
            self._start(self._resolve_and_send(upstream, context))

    def _read_own_headers(self, headers: Headers) -> None:
        """Raises LoopDetected."""
        self.request_id = find_request_id(headers) or self.id
        self.earlier_gateways = find_earlier_gateways(headers, self.gateway.gateway_id)

    def abort(self, error: HeadwayError) -> None:
        """End the call now. Send ``error`` to the client if it is still connected."""
        self._abort_reason = self._abort_reason or error
        if self._waiting_task is not None:
            self._waiting_task.cancel()
        elif self._attempt is not None:
            self._attempt.cancel(error, self.gateway.clock())

    def keep_alive(self, now: float, silence_s: float) -> None:
        """Write a comment to a stream of server-sent events that was silent for ``silence_s``, or
        what its dialect has instead."""
        attempt, decoded = self._attempt, self.decoded
        if attempt is None or decoded is None or not decoded.stream:
            return
        if not decoded.sse and decoded.keep_alive is None:
            return
        last_write = max(attempt.last_write, self.started)
        if now - last_write >= silence_s and not attempt.is_over:
            attempt.keep_alive(now)

    # --- Plan and send ----------------------------------------------------------------------------

    def _plan(self, upstream: Upstream, decoded: DecodedRequest) -> ResponseContext:
        """Adapt the request to the provider."""
        provider, request = upstream.provider, decoded.request
        if self.dialect.checks_parameters:
            request = provider_calls.check_parameters(upstream, request)
        sent, transformations = provider_calls.adapt_client_request(upstream, self.dialect, request)
        if transformations and (decoded.strict or self.snapshot.strict):
            provider_calls.refuse_changes(upstream, request, transformations)
        return ResponseContext(
            id=self.id,
            request_id=self.request_id,
            created=int(self.gateway.unix_time()),
            call=decoded,
            sent=sent,
            transformations=transformations,
            is_passthrough=self.dialect.wire == provider.wire
            and not (transformations and provider_calls.changes_calls(transformations)),
            is_stored=decoded.reply_storage is not None
            and self.snapshot.content.mode_for(self.key_id) == "full",
            id_header=self.dialect.id_header,
            write_rate_limits=self.dialect.write_rate_limits,
        )

    def _reply_without_provider(self, encode: Callable[[float], bytes]) -> None:
        body = encode(self.gateway.unix_time())
        self._close()
        self.sink.send_response(200, ResponseHeaders(self.request_id), body)

    async def _resolve_and_send(self, upstream: Upstream, context: ResponseContext) -> None:
        self._count_overhead()
        with self._interruptible():
            target = await targets.resolve(self.gateway, upstream, context.call)
        self._encode_and_send(upstream, context, target)

    def _encode_and_send(
        self, upstream: Upstream, context: ResponseContext, target: Target
    ) -> None:
        self._target = target
        self._http_request = provider_calls.encode(upstream, context.sent, target)
        self._send(upstream, context)

    def _send(self, upstream: Upstream, context: ResponseContext) -> None:
        """Start an attempt. It ends with ``on_attempt_done``."""
        gateway, sink, http_request = self.gateway, self.sink, self._http_request
        self.attempts += 1
        if upstream.provider.sign is not None:
            http_request = upstream.provider.sign(http_request, self._target, gateway.unix_time())
        if self.earlier_gateways:  # not signed, because the transport adds its own id to it
            passed_on = (LOOP_HEADER, self.earlier_gateways)
            http_request = replace(http_request, headers=(*http_request.headers, passed_on))
        attempt = self._new_attempt(upstream, context)
        self.upstream_request_bytes = len(http_request.body)
        self._count_overhead()
        is_configured = context.call.base_url is None
        transport = upstream.transport if is_configured else upstream.public_transport
        request = transport.send(http_request, upstream.timeouts, attempt)
        attempt.upstream_request = request
        if attempt.encoder is not None:
            sink.on_pause, sink.on_resume = request.pause, request.resume
            if sink.is_paused:
                request.pause()

    def _new_attempt(self, upstream: Upstream, context: ResponseContext) -> Attempt:
        gateway, encoder, unix_offset = self.gateway, None, 0.0
        if context.call.stream:
            encoder = self.dialect.stream(context)
            unix_offset = gateway.unix_time() - gateway.clock()
        may_retry = self.attempts <= context.call.retries
        attempt = attempt_class(context.sent)(
            upstream,
            context,
            encoder,
            self.sink,
            self.started,
            unix_offset,
            self.attempts,
            may_retry,
            self.on_attempt_done,
        )
        previous, self._attempt = self._attempt, attempt
        if previous is not None and previous.has_headers:
            attempt.has_headers = True  # a keep-alive comment was written before any content
            attempt.last_write = previous.last_write
        return attempt

    # --- An attempt is over -----------------------------------------------------------------------

    def on_attempt_done(self, attempt: Attempt) -> None:
        """The usual case is a complete response whose tokens the provider reported."""
        if self.is_over:
            return  # a defect ended the call while the attempt was running
        try:
            self._finish_or_retry(attempt)
        except Exception as error:
            self._fail(error)

    def _finish_or_retry(self, attempt: Attempt) -> None:
        error, retries = attempt.error, attempt.context.call.retries
        if error is None:
            result = attempt.result()
            if accounting.needs_count(result, None):
                self._start(self._count_and_finish(attempt, result))
            else:
                self._finish(attempt, result)
        elif attempt.is_committed or self._abort_reason is not None:
            # the client has content already, or has disconnected
            self._fail(self._abort_reason or error)
        else:
            decision = decide(error, self.attempts, retries, self.gateway.rng())
            if isinstance(decision, Try):
                self._start(self._retry(attempt, error, decision.delay))
            else:
                self._fail(error)

    async def _count_and_finish(self, attempt: Attempt, result: AttemptResult) -> None:
        self._finish(attempt, await count_whole(self.gateway, attempt, result))

    def _finish(self, attempt: Attempt, result: AttemptResult) -> None:
        """The response is complete: write its record, then send its end to the client."""
        if self._drain is not None:
            self._send_error(ClientGone(CLIENT_LEFT), attempt, result)
            return
        context, encoder = attempt.context, attempt.encoder
        facts = self._facts()
        totals = accounting.total(facts, result, self.snapshot.prices)
        if encoder is not None:
            metrics = accounting.metrics(facts, result, totals)
            pieces = encoder.end(attempt.accumulator, metrics, facts.now)
            attempt.bytes_out += sum(map(len, pieces))
            facts = content.keep_call(self, facts, attempt, pieces[-1] if pieces else b"")
            self._record(attempt, facts, result, totals, None)
            self._close()
            self._end_stream(pieces)
            return
        if context.is_passthrough and self._passes_through(attempt):
            body = attempt.body
        else:
            metrics = accounting.metrics(facts, result, totals)
            body = self.dialect.encode(context, attempt.accumulator, metrics, facts.now)
        attempt.bytes_out = len(body)
        headers = response_head.describe_response(facts, result, totals)
        facts = content.keep_call(self, facts, attempt, body)
        self._record(attempt, facts, result, totals, None)
        self.sink.send_response(200, headers, body)
        self._close()

    def _passes_through(self, attempt: Attempt) -> bool:
        """Of the same wire format, a stream that was not requested is encoded, and so is a body
        that strict clients refuse. A summary exists for others only."""
        body = attempt.body
        return bool(body) and (attempt.is_summarized or self.dialect.passes_through(body))

    async def _retry(self, attempt: Attempt, error: HeadwayError, delay_s: float) -> None:
        self._redact(error)
        result = attempt.result()
        if accounting.needs_count(result, error):
            result = await count_part(self.gateway, attempt, result, error)
        self._record_failure(attempt, result, error, is_last=False)
        self._log_failure("attempt failed, another one follows", error, attempt)
        with self._interruptible():
            await self.gateway.sleep(delay_s)
        self._send(attempt.upstream, attempt.context)

    # --- The call fails ---------------------------------------------------------------------------

    def _fail(self, error: Exception, may_await: bool = True) -> None:
        """Record the failure, and send the error in the client's dialect."""
        if not isinstance(error, HeadwayError):
            self._log_defect("the request failed on a defect of the gateway", error)
            error = self._defect_error()
        self._redact(error)
        attempt = self._attempt
        if attempt is None or attempt is self._recorded:
            self._send_error(error)
            return
        try:
            self._fail_attempt(attempt, error, may_await)
        except Exception as defect:
            self._log_defect("the result of the request is unknown", defect)
            if not self.is_over:
                attempt.forget_response()
                self._send_error(error, attempt, attempt.result())

    def _defect_error(self) -> HeadwayError:
        attempt = self._attempt
        if attempt is not None and attempt.is_over:
            return unprocessable(attempt.upstream)
        return InternalError(DEFECT)

    def _fail_attempt(self, attempt: Attempt, error: HeadwayError, may_await: bool) -> None:
        result = attempt.result()
        if accounting.needs_count(result, error):
            if may_await:
                self._start(self._count_and_fail(attempt, result, error))
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
            self._log_failure("request failed", error, attempt)
            last = self._attempt
            encoder = None if last is None or not last.has_headers else last.encoder
            pieces = encode_reply(self, error, encoder)
            if attempt is not None:
                attempt.bytes_out += sum(map(len, pieces))
            if self.key_id is not None:
                self._record_failure(attempt, result, error)
            if pieces and encoder is not None:
                self._end_stream(pieces)
            elif encoder is not None and not isinstance(error, ClientGone):
                self.sink.abort()
            elif pieces:
                status = self.dialect.status_of(error)
                headers = response_head.describe_error(self._facts(), error, status, result)
                self.sink.send_response(status, headers, pieces[0])
        finally:
            # These errors refer to stack frames: without them everything is freed now.
            error.__traceback__ = error.__context__ = None

    def _redact(self, error: HeadwayError) -> None:
        """Redact secrets: some providers quote the key that they refuse."""
        redact_error(error, self.secrets())

    def secrets(self) -> list[str]:
        """The keys of the client's request and of the provider's."""
        secrets = [] if self.upstream is None else self.upstream.secrets
        if self.decoded is not None and self.decoded.api_key:
            secrets.append(self.decoded.api_key)
        tokens = authorization_tokens(self.client_request.headers)
        return [*secrets, *tokens, *self._target.credentials.values()]

    def _log_failure(self, message: str, error: HeadwayError, attempt: Attempt | None) -> None:
        log_call_failure(
            message,
            error,
            self.decoded,
            upstream_status=0 if attempt is None else attempt.status,
            request_id=self.request_id,
            route=self.dialect.route,
            attempts=self.attempts or None,
            duration_s=round(self.gateway.clock() - self.started, 6),
        )

    def _log_defect(self, message: str, defect: Exception) -> None:
        log.error(message, exc_info=defect, extra=fields(request_id=self.request_id))

    # --- Accounting -------------------------------------------------------------------------------

    def _facts(self) -> RequestFacts:
        gateway = self.gateway
        return RequestFacts(
            gateway.new_id() if self._records else self.id,
            self.id,
            self.request_id,
            self.dialect,
            self.key_id,
            len(self.client_request.body),
            self.decoded,
            self.upstream,
            self.attempts,
            self.upstream_request_bytes,
            self.overhead_s,
            gateway.clock() - self.started,
            gateway.unix_time(),
        )

    def _record_failure(
        self,
        attempt: Attempt | None,
        result: AttemptResult | None,
        error: HeadwayError,
        is_last: bool = True,
    ) -> None:
        """If the record cannot be written, the client still gets its reply. A request that is
        refused because of that has none."""
        if isinstance(error, LedgerUnavailable):
            return
        try:
            facts = self._facts()
            if is_last:
                facts = content.keep_call(self, facts, attempt)
            if attempt is None or result is None:
                self._write(accounting.refusal_record(facts, error))
            else:
                totals = self._totals_of_failure(facts, result)
                self._record(attempt, facts, result, totals, error, is_last)
        except Exception as defect:
            self._log_defect("the request could not be put on record", defect)

    def _totals_of_failure(self, facts: RequestFacts, result: AttemptResult) -> AttemptTotals:
        """If the accounting fails, the failure is still on record."""
        try:
            return accounting.total(facts, result, self.snapshot.prices)
        except Exception as defect:
            self._log_defect("the cost of the request is unknown", defect)
            return accounting.UNKNOWN_TOTALS

    def _record(
        self,
        attempt: Attempt,
        facts: RequestFacts,
        result: AttemptResult,
        totals: AttemptTotals,
        error: HeadwayError | None,
        is_last: bool = True,
    ) -> None:
        drain = self._drain
        line = accounting.attempt_record(
            facts,
            result,
            totals,
            error,
            attempt.bytes_out if drain is None else drain.bytes_out,
            is_last=is_last,
            is_drained=drain is not None and attempt.error is None,
        )
        self._write(line)
        self._recorded = attempt

    def _write(self, line: bytes) -> None:
        """Raises InternalError where the record cannot be written."""
        try:
            self.gateway.spool.append(line)
        except Exception as error:
            self._log_defect("the request could not be put on record", error)
            raise InternalError("The gateway failed on this request; see its log.") from error
        self._records += 1

    def _count_overhead(self) -> None:
        """Add the gateway's own time so far. From here on it waits."""
        self.overhead_s = (self.overhead_s or 0.0) + self.gateway.clock() - self._resumed

    # --- Tasks, and the end -----------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
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
        attempt, snapshot, left = self._attempt, self.snapshot, ClientGone(CLIENT_LEFT)
        output_usd = partial(output_cost, attempt, snapshot.prices)
        self._drain = start_drain(self.gateway, snapshot.drain, attempt, self.sink, output_usd)
        if self._drain is None:
            self.abort(left)
        else:
            self._abort_reason = left

    def _end_stream(self, pieces: list[bytes]) -> None:
        *first, last = pieces or [b""]
        for piece in first:
            self.sink.write(piece)
        self.sink.end(last)

    def _close(self) -> None:
        self.is_over = True
        self.gateway.active.discard(self)
        sink = self.sink
        sink.on_gone = sink.on_pause = sink.on_resume = None
