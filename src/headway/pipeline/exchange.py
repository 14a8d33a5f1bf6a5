"""One request, from the client's bytes to its answer and its record: the whole story, in order.

    authenticate -> decode -> plan -> attempt, until something is committed -> settle -> record

Most of it is plain calls, made where bytes arrive: the client's to ``begin``, the provider's to the
flow and then ``after``. A coroutine runs only where something must be awaited: credentials, another
attempt, tokens that nobody reported.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar, cast

from headway.dialects.dialect import (
    JSON,
    ClientRequest,
    DecodedRequest,
    Dialect,
    ResponseContext,
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
from headway.pipeline import operations, settlement
from headway.pipeline.flow import Flow
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.lengths import SHORT, check_lengths
from headway.pipeline.settlement import Settled
from headway.pipeline.signals import Signal, start, unless
from headway.policy.keys import authorize
from headway.ports import Sink
from headway.providers.parameters import check
from headway.routing.retry import Try, decide
from headway.types import Target, Transformation

log = logging.getLogger("headway")
T = TypeVar("T")
SHORTEST_SECRET = 6
"""Shorter texts are no keys, and blanking them out would eat ordinary words."""
QUOTING = ("message", "code", "param")
"""Where an error holds a provider's own words."""


class Exchange:
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
    _flow: Flow | None = None
    _gone: HeadwayError | None = None
    _pause: Signal[None] | None = None
    """There while it waits for others, or before another attempt: setting it ends the wait."""
    _recorded: Flow | None = None
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
                raise ShuttingDown("The gateway is shutting down; send this request to another.")
            self.key_id = authorize(inbound.headers, self.snapshot.keys)
            call = self.call = self.dialect.decode(inbound)
            redirects = call.api_key or call.base_url or call.options
            if redirects or call.session_id or len(call.request.model) > SHORT:
                check_lengths(call)
            upstream = self._plan(call)
            if redirects or upstream.target is None:
                start(self._seek(upstream, call))
            else:
                self._open(upstream, call, upstream.target)
        except Exception as error:
            start(self._fail(error))

    def abort(self, error: HeadwayError) -> None:
        """End it now, with an error that the client is told if it still listens."""
        self._gone = self._gone or error
        if self._pause is not None:
            self._pause.set(None)
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

    def after(self, flow: Flow) -> None:
        """An attempt is over. Mostly that is the answer, whole, with its tokens counted."""
        if self.is_over:
            return  # a defect on the way ended it: it is answered
        try:
            if flow.error is None:
                settled = settlement.settle_reported(self, flow)
                if settled is not None:
                    self._conclude(flow, settled)
                    return
        except Exception as error:
            start(self._fail(error))
        else:
            start(self._follow(flow))

    async def _seek(self, upstream: Upstream, call: DecodedRequest) -> None:
        try:
            self._open(upstream, call, await self._target(upstream, call))
        except Exception as error:
            await self._fail(error)

    async def _follow(self, flow: Flow) -> None:
        try:
            if flow.error is None:
                self._conclude(flow, await settlement.settle(self, flow, None))
            else:
                await self._retry(flow, flow.error)
        except Exception as error:
            await self._fail(error)

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
            created=int(self.gateway.wall()),
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
            base_url = await self._others(upstream.launcher.base_url())
        credentials: Mapping[str, str] = {}
        if upstream.credentials is not None and api_key is None and call.base_url is None:
            found = await self._others(upstream.credentials.credentials())
            credentials = self._credentials = found
        options = upstream.options if call.base_url is None else upstream.harmless
        return Target(
            provider=upstream.name,
            base_url=base_url or "",
            api_key=api_key,
            options={**options, **call.options} if call.options else options,
            headers={} if call.base_url else upstream.headers,
            credentials=credentials,
        )

    async def _others(self, awaited: Awaitable[T]) -> T:
        """Wait for others, but no longer than anyone wants the answer."""
        self._count_time()
        pause = self._pause = Signal()
        try:
            found = await unless(pause, awaited)
        finally:
            self._pause = None
        self._go_on()
        return cast("T", found)

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
            http = upstream.provider.sign(http, self._target_of_attempts, self.gateway.wall())
        stream = self.dialect.stream(context) if call.stream else None
        flow = self._flow = Flow(self, upstream, context, stream)
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

    async def _retry(self, flow: Flow, error: HeadwayError) -> None:
        """Another attempt after a failure that it may mend, unless there is a commitment: content
        on its way to the client. Raises the failure where it is the end."""
        call, upstream = self.call, self.upstream
        assert call is not None
        assert upstream is not None
        if flow.is_committed or self._gone is not None:
            raise error
        decision = decide(error, self.attempts, call.retries, self.gateway.chance())
        if not isinstance(decision, Try):
            raise error
        self._conceal(error)
        await self._record_failure(flow, error)
        await self._wait(decision.delay)
        self._send(upstream, call)

    async def _wait(self, delay: float) -> None:
        """Before another attempt; ends at once where there will be none."""
        if self._gone is None:
            pause = self._pause = Signal()
            timer = self.gateway.call_later(delay, pause.set, None)
            await pause
            timer.cancel()
            self._pause = None
        self._go_on()

    def _conclude(self, flow: Flow, settled: Settled) -> None:
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
        self.sink.send_response(200, settlement.head(self, flow, settled), body)
        self._sign_off()

    async def _fail(self, error: Exception) -> None:
        """The truth on record, and as an answer in the client's own dialect if it still listens."""
        if not isinstance(error, HeadwayError):
            log.error("request %s failed on a defect of the gateway", self.id, exc_info=error)
            error = InternalError("The gateway failed on this request; see its log.")
        try:
            await self._answer_error(error)
        finally:
            self._sign_off()
            # They hold these very frames: apart, all go at once.
            error.__traceback__ = error.__context__ = None

    async def _answer_error(self, error: HeadwayError) -> None:
        self._conceal(error)
        flow = self._flow
        stream = None if flow is None or not flow.has_head else flow.stream
        if isinstance(error, ClientGone):
            pieces = []
        elif stream is not None:
            pieces = stream.fail(error)
        else:
            provider = None if self.call is None else self.call.provider
            pieces = [encode_error(error, provider, self.id)]
        if self.key_id is not None:
            # An attempt that failed is on record; what ended the wait for the next one is no cost.
            await self._record_failure(None if flow is self._recorded else flow, error, pieces)
        self._sign_off()
        if not pieces:
            return
        if flow is not None and stream is not None:
            flow.end(pieces)
        else:
            self.sink.send_response(error.status, _error_head(self.id, error), pieces[0])

    async def _record_failure(
        self, flow: Flow | None, error: HeadwayError, pieces: Sequence[bytes] = ()
    ) -> None:
        """Whatever becomes of the record, the client gets its answer."""
        try:
            if flow is None:
                self.gateway.spool.append(settlement.refused(self, error))
                self.records += 1
                return
            flow.written += sum(map(len, pieces))
            self._record(flow, error, await settlement.settle(self, flow, error))
        except Exception:
            log.exception("request %s could not be put on record", self.id)

    def _record(self, flow: Flow, error: HeadwayError | None, settled: Settled) -> None:
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

    def _go_on(self) -> None:
        """It is ours again, if anyone still wants the answer."""
        self._since = self.gateway.clock()
        if self._gone is not None:
            raise self._gone

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


def _error_head(request_id: str, error: HeadwayError) -> bytes:
    head = b"content-type: %b\r\nx-request-id: %b\r\n" % (JSON, request_id.encode())
    if error.retry_after_s is not None:
        head += b"retry-after: %d\r\n" % max(1, -(-error.retry_after_s // 1))
    return head
