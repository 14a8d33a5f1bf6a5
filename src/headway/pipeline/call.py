"""One request, from the client's bytes to its answer and its record: the whole story, in order.

    authenticate -> decode -> plan -> attempt, until something is committed -> settle -> record

Most of it is plain calls, made where bytes arrive: the client's to ``begin``, the provider's to the
flow and then ``after``. An asyncio task runs only where something must be awaited: credentials, a
model that starts, the delay before another attempt, tokens that nobody reported.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from headway.dialects.base import (
    ClientRequest,
    DecodedRequest,
    Dialect,
    ResponseContext,
    StreamEncoder,
    encode_error,
)
from headway.errors import (
    ClientGone,
    HeadwayError,
    InternalError,
    InvalidField,
    MissingProviderKey,
    ShuttingDown,
    UnknownProvider,
)
from headway.pipeline import accounting as settlement
from headway.pipeline import provider_calls as operations
from headway.pipeline.accounting import Settled
from headway.pipeline.attempt import Attempt
from headway.pipeline.field_limits import SHORT, check_lengths
from headway.pipeline.gateway import Gateway, Upstream
from headway.policy.keys import authorize
from headway.ports import ResponseHeaders, Sink
from headway.providers.parameters import check
from headway.routing.retry import Try, decide
from headway.types import Target, Transformation

log = logging.getLogger("headway")
SHORTEST_SECRET = 6
"""Shorter texts are no keys, and blanking them out would eat ordinary words."""
CLOSING = "The gateway is shutting down; send this request to another."
QUOTING = ("message", "code", "param")
"""Where an error holds a provider's own words."""


class GatewayCall:
    """Everything that one request is while it lasts. ``started`` is the clock when it was read
    whole."""

    # What most requests never set is kept on the class.
    attempts = 0
    call: DecodedRequest | None = None
    context: ResponseContext | None = None
    is_over = False
    key_id: str | None = None
    ours: float | None = None
    """Seconds that went by here, until the last attempt's request was handed on; None before.
    Waiting for others (earlier attempts, a model that starts, credentials) is not ours."""
    records = 0
    upstream: Upstream | None = None
    upstream_bytes: int | None = None
    _credentials: Mapping[str, str] = {}
    _flow: Attempt | None = None
    _abort_reason: HeadwayError | None = None
    _waiting: asyncio.Task[Any] | None = None
    """The task that waits for something that ``abort`` may interrupt."""
    _recorded: Attempt | None = None
    """The last attempt that is on record."""

    def __init__(
        self, gateway: Gateway, dialect: Dialect, inbound: ClientRequest, sink: Sink, started: float
    ) -> None:
        self.gateway = gateway
        self.dialect = dialect
        self.inbound = inbound
        self.sink = sink
        self.started = started
        self.id = gateway.new_id()
        self.snapshot = gateway.snapshot
        self._since = started

    def begin(self) -> None:
        """Runs until it first has to wait."""
        gateway, inbound = self.gateway, self.inbound
        self.sink.on_gone = self._client_left
        gateway.active.add(self)
        try:
            if gateway.is_closing:
                raise ShuttingDown(CLOSING)
            self.key_id = authorize(inbound.headers, self.snapshot.keys)
            call = self.call = self.dialect.decode(inbound)
            redirects = call.api_key or call.base_url or call.options
            if redirects or call.session_id or len(call.request.model) > SHORT:
                check_lengths(call)
            upstream = self._plan(call)
            if redirects or upstream.target is None:
                self._start(self._seek(upstream, call))
            else:
                self._open(upstream, call, upstream.target)
        except Exception as error:
            self._fail(error)

    def abort(self, error: HeadwayError) -> None:
        """End it now, with an error that the client is told if it still listens."""
        self._abort_reason = self._abort_reason or error
        if self._waiting is not None:
            self._waiting.cancel()
        elif self._flow is not None:
            self._flow.abandon(error, self.gateway.clock())

    def keep_alive(self, now: float, silence: float) -> None:
        """Say something on a stream of events that has been silent for so many seconds."""
        flow = self._flow
        if flow is None or self.call is None or not (self.call.stream and self.call.sse):
            return
        if now - max(flow.last_write, self.started) >= silence and not flow.is_over:
            flow.keep_alive(now)

    # --- The story --------------------------------------------------------------------------------

    def after(self, flow: Attempt) -> None:
        """An attempt is over. Mostly that is the answer, whole, with its tokens counted."""
        if self.is_over:
            return  # a defect on the way ended it: it is answered
        try:
            if flow.error is not None:
                self._retry_or_fail(flow, flow.error)
                return
            settled = settlement.settle_uncounted(self, flow, None)
            if settled is not None:
                self._conclude(flow, settled)
            else:
                self._start(self._count_and_conclude(flow))
        except Exception as error:
            self._fail(error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.gateway.start(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """The body of each task of this request: whatever ends it is answered."""
        try:
            await work
        except Exception as error:
            self._fail(error)
        except asyncio.CancelledError:  # the event loop is closing: nothing can be awaited any more
            if not self.is_over:
                self._answer_error(ShuttingDown(CLOSING), None, None)
            raise

    async def _seek(self, upstream: Upstream, call: DecodedRequest) -> None:
        self._count_time()
        with self._interruptible():
            target = await self._target(upstream, call)
        self._open(upstream, call, target)

    async def _count_and_conclude(self, flow: Attempt) -> None:
        self._conclude(flow, await settlement.settle(self, flow, None))

    def _plan(self, call: DecodedRequest) -> Upstream:
        """Which provider, and the request as it can take it."""
        upstream = self.snapshot.upstreams.get(call.provider)
        if upstream is None:
            names = ", ".join(sorted(self.snapshot.upstreams))
            message = f"No provider is called {call.provider!r}; configured are: {names}."
            raise UnknownProvider(message, param="provider")
        self.upstream = upstream
        provider = upstream.provider
        if self.dialect.checks_parameters:
            check(provider.parameters, call.request.parameters)
        sent, transformations = operations.adapt(upstream, call.request)
        if transformations and (call.strict or self.snapshot.strict):
            raise _would_change(upstream, transformations[0])
        self.context = ResponseContext(
            id=self.id,
            created=int(self.gateway.unix_time()),
            call=call,
            sent=sent,
            transformations=transformations,
            is_passthrough=self.dialect.wire == provider.wire,
        )
        return upstream

    async def _target(self, upstream: Upstream, call: DecodedRequest) -> Target:
        """Where to, with which key. What is configured as secret goes to the configured address
        only: the key, the headers, and the options that requests are signed with."""
        api_key = call.api_key
        if call.base_url is not None and not call.base_url.startswith(("http://", "https://")):
            message = "`base_url` must be an http:// or https:// address."
            raise InvalidField(message, param="base_url")
        if api_key is None and call.base_url is None:
            api_key = upstream.api_key
            if api_key is None and upstream.needs_key:
                raise _no_key(upstream)
        base_url = call.base_url or upstream.base_url
        if base_url is None and upstream.launcher is not None:
            base_url = await self.gateway.share(upstream.launcher.base_url())
        credentials: Mapping[str, str] = {}
        if upstream.credentials is not None and api_key is None and call.base_url is None:
            credentials = await self.gateway.share(upstream.credentials.credentials())
            self._credentials = credentials
        options = upstream.options if call.base_url is None else upstream.public_options
        return Target(
            provider=upstream.name,
            base_url=base_url or "",
            api_key=api_key,
            options={**options, **call.options} if call.options else options,
            headers={} if call.base_url else upstream.headers,
            credentials=credentials,
        )

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Around a wait that ``abort`` may end, whose reason is then raised. The time is not
        counted as the gateway's own."""
        self._raise_if_aborted()
        waiting = self._waiting = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self._abort_reason is None or waiting is None:
                raise
            waiting.uncancel()
        finally:
            self._waiting = None
            self._since = self.gateway.clock()
        self._raise_if_aborted()

    def _open(self, upstream: Upstream, call: DecodedRequest, target: Target) -> None:
        assert self.context is not None
        self._target_of_attempts = target
        self._http = operations.encode(upstream, self.context.sent, target)
        self._send(upstream, call)

    def _send(self, upstream: Upstream, call: DecodedRequest) -> None:
        """One attempt: it goes on in its flow, and then in ``after``."""
        context, http, earlier = self.context, self._http, self._flow
        assert context is not None
        self.attempts += 1
        if upstream.provider.sign is not None:
            http = upstream.provider.sign(http, self._target_of_attempts, self.gateway.unix_time())
        stream = self.dialect.stream(context) if call.stream else None
        flow = self._flow = Attempt(self, upstream, context, stream)
        if earlier is not None and earlier.has_head:
            flow.has_head = True  # its silence has already cost the client's status
            flow.last_write = earlier.last_write
        self.upstream_bytes = len(http.body)
        self._count_time()
        flow.sending = sending = upstream.transport.send(http, upstream.timeouts, flow)
        if stream is not None:
            self.sink.on_pause = sending.pause
            self.sink.on_resume = sending.resume
            if self.sink.is_paused:
                sending.pause()
        else:  # many streams may begin at once, and each is to have its first event soon
            settlement.prepare(self, flow)

    def _retry_or_fail(self, flow: Attempt, error: HeadwayError) -> None:
        """Another attempt after a failure that it may mend, unless there is a commitment: content
        on its way to the client."""
        assert self.call is not None
        if not flow.is_committed and self._abort_reason is None:
            retries, jitter = self.call.retries, self.gateway.rng()
            decision = decide(error, self.attempts, retries, jitter)
            if isinstance(decision, Try):
                self._start(self._retry(flow, error, decision.delay))
                return
        self._fail(error)

    async def _retry(self, flow: Attempt, error: HeadwayError, delay: float) -> None:
        assert self.call is not None
        assert self.upstream is not None
        self._conceal(error)
        self._record_failure(flow, error, await self._settle_failure(flow, error))
        with self._interruptible():
            await self.gateway.sleep(delay)
        self._send(self.upstream, self.call)

    def _conclude(self, flow: Attempt, settled: Settled) -> None:
        """The answer is whole: what it cost goes on record, then the client sees its end."""
        context, stream = self.context, flow.stream
        assert context is not None
        if stream is not None:
            pieces = stream.end(flow.answer, settled.metrics(), settled.now)
            for piece in pieces:
                flow.written += len(piece)
            self._record(flow, None, settled)
            self._sign_off()
            flow.end(pieces)
            return
        if context.is_passthrough and flow.raw:
            body = flow.raw
        else:  # also of the same wire, where a stream came that nobody had asked for
            body = self.dialect.encode(context, flow.answer, settled.metrics(), settled.now)
        flow.written = len(body)
        self._record(flow, None, settled)
        self.sink.send_response(200, settlement.headers(self, settled), body)
        self._sign_off()

    def _fail(self, error: Exception) -> None:
        """The truth on record, and as an answer in the client's own dialect if it still listens."""
        if not isinstance(error, HeadwayError):
            log.error("request %s failed on a defect of the gateway", self.id, exc_info=error)
            error = InternalError("The gateway failed on this request; see its log.")
        self._conceal(error)
        flow = None if self._flow is self._recorded else self._flow
        if flow is None:
            self._answer_error(error, None, None)
            return
        # An attempt that failed is on record; what ended the wait for the next one is no cost.
        try:
            settled = settlement.settle_uncounted(self, flow, error)
        except Exception:
            self._log_unrecorded()
            self._answer_error(error, flow, None)
            return
        if settled is None:
            self._start(self._count_and_fail(flow, error))
        else:
            self._answer_error(error, flow, settled)

    async def _count_and_fail(self, flow: Attempt, error: HeadwayError) -> None:
        self._answer_error(error, flow, await self._settle_failure(flow, error))

    async def _settle_failure(self, flow: Attempt, error: HeadwayError) -> Settled | None:
        try:
            return await settlement.settle(self, flow, error)
        except Exception:
            self._log_unrecorded()
            return None

    def _answer_error(
        self, error: HeadwayError, failed: Attempt | None, settled: Settled | None
    ) -> None:
        try:
            flow = self._flow
            stream = None if flow is None or not flow.has_head else flow.stream
            pieces = self._error_pieces(error, stream)
            if self.key_id is not None:
                self._record_failure(failed, error, settled, pieces)
            self._sign_off()
            if not pieces:
                return
            if flow is not None and stream is not None:
                flow.end(pieces)
            else:
                headers = ResponseHeaders(self.id, retry_after_s=error.retry_after_s)
                self.sink.send_response(error.status, headers, pieces[0])
        finally:
            self._sign_off()
            # They hold these very frames: apart, all go at once.
            error.__traceback__ = error.__context__ = None

    def _error_pieces(self, error: HeadwayError, stream: StreamEncoder | None) -> list[bytes]:
        if isinstance(error, ClientGone):
            return []
        if stream is not None:
            return stream.fail(error)
        provider = None if self.call is None else self.call.provider
        return [encode_error(error, provider, self.id)]

    def _record_failure(
        self,
        flow: Attempt | None,
        error: HeadwayError,
        settled: Settled | None,
        pieces: Sequence[bytes] = (),
    ) -> None:
        """Whatever becomes of the record, the client gets its answer."""
        try:
            if flow is None:
                self.gateway.spool.append(settlement.refused(self, error))
                self.records += 1
            elif settled is not None:
                flow.written += sum(map(len, pieces))
                self._record(flow, error, settled)
        except Exception:
            self._log_unrecorded()

    def _log_unrecorded(self) -> None:
        log.exception("request %s could not be put on record", self.id)

    def _record(self, flow: Attempt, error: HeadwayError | None, settled: Settled) -> None:
        self.gateway.spool.append(settlement.record(self, flow, error, settled))
        self.records += 1
        self._recorded = flow

    def _conceal(self, error: HeadwayError) -> None:
        """Providers have been seen to quote the key that they refuse."""
        secrets: list[str | None] = []
        if self.call is not None:
            secrets.append(self.call.api_key)
        if self.upstream is not None:
            secrets += self.upstream.secrets
        secrets += self._credentials.values()
        for secret in secrets:
            if secret and len(secret) >= SHORTEST_SECRET:
                for name in QUOTING:
                    said = getattr(error, name)
                    if said is not None and secret in said:
                        setattr(error, name, said.replace(str(secret), "***"))

    # --- Endings from outside ---------------------------------------------------------------------

    def _client_left(self) -> None:
        if not self.is_over:
            self.abort(ClientGone("The client closed the connection before the answer's end."))

    def _count_time(self) -> None:
        """Now it is others' turn."""
        self.ours = (self.ours or 0.0) + self.gateway.clock() - self._since

    def _raise_if_aborted(self) -> None:
        if self._abort_reason is not None:
            raise self._abort_reason

    def _sign_off(self) -> None:
        self.is_over = True
        self.gateway.active.discard(self)
        sink = self.sink
        sink.on_gone = sink.on_pause = sink.on_resume = None


def _would_change(upstream: Upstream, change: Transformation) -> InvalidField:
    message = f"strict: {upstream.name} would get this request with a change: {change}."
    return InvalidField(message, param=change.parameter, status=400)


def _no_key(upstream: Upstream) -> MissingProviderKey:
    return MissingProviderKey(
        f"There is no key for {upstream.name}: set {upstream.key_name} in the gateway's environment"
        f" or providers.{upstream.name}.api_key in its configuration, or send `api_key`.",
        param="api_key",
        provider=upstream.name,
    )
