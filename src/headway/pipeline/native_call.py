"""One request that is passed through to a provider's own API, from its arrival to its record.

    authorize -> find the provider -> resolve its key and address -> send -> relay -> record

The admission is that of all calls (``call.GatewayCall``). What differs is that nothing is
translated: method, path, query and body are the client's, and so are the provider's status,
headers and body. There is one attempt. Where an adapter knows the route, the response is read on
the side for the record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.base import ResponseContext
from headway.errors import (
    ClientGone,
    Forbidden,
    HeadwayError,
    InternalError,
    LedgerUnavailable,
    RequestError,
    ShuttingDown,
)
from headway.events import ResponseSummary
from headway.metering.metrics import CallCost
from headway.pipeline import accounting, content, targets
from headway.pipeline.accounting import AttemptResult, AttemptTotals, RequestFacts
from headway.pipeline.drain import Drain, start_drain
from headway.pipeline.failure_log import fields, log_call_failure
from headway.pipeline.gateway import (
    CLIENT_LEFT,
    CLOSING,
    DEFECT,
    NO_RECORD,
    RECORD_RETRY_S,
    Gateway,
    Upstream,
)
from headway.pipeline.native_request import (
    NO_MESSAGES,
    NativeHttpRequest,
    decode_native_request,
)
from headway.pipeline.raw_relay import RawRelay
from headway.pipeline.redaction import authorization_tokens, redact_error
from headway.pipeline.unknown_names import unknown_provider
from headway.pipeline.usage_reader import (
    UsageReader,
    chat_reader,
    embeddings_reader,
    operation_reader,
)
from headway.policy import native_headers
from headway.policy.gateway_loop import HEADER as LOOP_HEADER
from headway.policy.gateway_loop import find_earlier_gateways
from headway.policy.keys import authorize
from headway.policy.request_headers import OWN_REQUEST_ID, find_request_id
from headway.ports import RawSink, ResponseHeaders, UpstreamRequest
from headway.providers import KINDS
from headway.providers.native_api import find_route
from headway.types import (
    ChatRequest,
    Headers,
    HttpRequest,
    RelayedRequest,
    Target,
    Timeouts,
    Usage,
)
from headway.wire.native_path import client_url, native_url

log = logging.getLogger("headway")
EVENTS = b"text/event-stream"
NOT_HELD_BACK = (b"x-accel-buffering", b"no")
"""Of a stream, which proxies must not hold back."""
UNREAD_ROUTE = "the gateway does not read the responses of this route"
UNREAD_RESPONSE = "the response says nothing about its usage that the gateway could read"
SWITCHED_OFF = "This gateway passes no requests through: server.passthrough is false."
HTTP_SCHEMES = frozenset({"http", "https", "http+unix", "unix"})
NOT_PASSED = frozenset({"CONNECT", "TRACE"})
"""TRACE returns the request (RFC 9110, section 9.3.8), and so the provider's key."""


class ErrorFormat(Protocol):
    """What of a ``Dialect`` an error of the gateway's own needs."""

    @property
    def id_header(self) -> bytes: ...

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes: ...

    def status_of(self, error: HeadwayError) -> int: ...


class NativeRoute(Struct, frozen=True):
    """The ``accounting.RouteFacts`` of all requests that are passed through."""

    name: str = "native"
    route: str = "/providers/{name}/{path}"
    id_header: bytes = OWN_REQUEST_ID


ROUTE = NativeRoute()
REALTIME = NativeRoute("openai_realtime", "/v1/realtime")


class NativeCall:
    """A ``gateway.ActiveCall``. ``started`` is the clock when the request was read completely."""

    attempts = 0
    route = ROUTE
    is_over = False
    key_id: str | None = None
    overhead_s: float | None = None
    upstream: Upstream | None = None
    reader: UsageReader | None = None
    """Reads the response; None where no adapter knows the route."""
    abort_reason: HeadwayError | None = None
    _drain: Drain | None = None
    """Reads the response without the client."""
    _earlier_gateways = ""
    _relay: RawRelay | None = None
    _target: Target | None = None
    _task: asyncio.Task[None] | None = None

    def __init__(
        self,
        gateway: Gateway,
        request: NativeHttpRequest,
        sink: RawSink,
        started: float,
        error_format: Callable[[str | None], ErrorFormat],
    ) -> None:
        """``error_format`` has the format of errors by the name of the provider's wire format."""
        self.gateway = gateway
        self.request = request
        self.sink = sink
        self.started = started
        self.snapshot = gateway.snapshot
        self.id = gateway.new_id()
        self.request_id = find_request_id(request.headers) or self.id
        self._error_format = error_format
        self.decoded = decode_native_request(request, None)

    def begin(self) -> None:
        self.sink.on_gone = self._on_client_gone
        self.gateway.active.add(self)
        self._task = self.gateway.start(self._run())

    def abort(self, error: HeadwayError) -> None:
        """End the call now. Send ``error`` to the client if that is possible."""
        self.abort_reason = self.abort_reason or error
        if self._relay is not None:
            self._relay.cancel(error, self.gateway.clock())
        elif self._task is not None:
            self._task.cancel()

    def keep_alive(self, now: float, silence_s: float) -> None:
        """Nothing is added to a response that is passed through."""

    # --- Admission and sending --------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            upstream, target = await self._admit()
            self._send(upstream, target)
        except asyncio.CancelledError:
            self._fail(self.abort_reason or ShuttingDown(CLOSING))
            if self.abort_reason is None:
                raise
        except Exception as error:
            self._fail(error)

    async def _admit(self) -> tuple[Upstream, Target]:
        """The provider, and what a request to it needs. Raises HeadwayError."""
        gateway, request, snapshot = self.gateway, self.request, self.snapshot
        self._earlier_gateways = find_earlier_gateways(request.headers, gateway.gateway_id)
        if gateway.is_closing:
            raise ShuttingDown(CLOSING)
        if gateway.is_refusing:
            raise LedgerUnavailable(NO_RECORD, retry_after_s=RECORD_RETRY_S)
        self.key_id = authorize(self._key_headers(), snapshot.keys, request.query)
        request = self._resolve_request()
        if not snapshot.passthrough:
            raise Forbidden(SWITCHED_OFF)
        if request.method in NOT_PASSED:
            raise RequestError(f"{request.method} is not passed through.", status=405)
        upstream = snapshot.upstreams.get(request.provider)
        if upstream is None or upstream.lacks_address:
            raise unknown_provider(snapshot, request.provider)
        self.upstream = upstream
        self.decoded = decode_native_request(request, upstream)
        target = targets.build_at_once(upstream, self.decoded)
        self.overhead_s = gateway.clock() - self.started
        if target is None:
            target = await targets.resolve(gateway, upstream, self.decoded)
        self._target = targets.with_chosen_key(gateway, upstream, self.decoded, target)
        return upstream, self._target

    def _send(self, upstream: Upstream, target: Target) -> None:
        resumed = self.gateway.clock()
        http_request = self._encode(upstream, target)
        self.reader = self._new_reader(upstream)
        relay = self._relay = self._new_relay(upstream, target, http_request)
        self.attempts = 1
        self.overhead_s = (self.overhead_s or 0.0) + self.gateway.clock() - resumed
        relay.bind(self._start(upstream, http_request, relay))

    def _start(
        self, upstream: Upstream, http_request: HttpRequest, relay: RawRelay
    ) -> UpstreamRequest:
        return upstream.transport.send(http_request, self._timeouts(upstream), relay)

    def _timeouts(self, upstream: Upstream) -> Timeouts:
        return upstream.timeouts

    def _encode(self, upstream: Upstream, target: Target) -> HttpRequest:
        """Raises RequestError, InvalidField."""
        request, api, provider = self.request, upstream.provider.native, upstream.provider
        query = native_headers.without_keys(request.query)
        if api.base_url(target).partition(":")[0].lower() not in HTTP_SCHEMES:
            message = f"{upstream.name} is part of the gateway and has no API to pass a path to."
            raise RequestError(message, param="provider")
        try:
            url = native_url(api.base_url(target), request.path, query, api.unversioned)
        except ValueError as error:
            message = f"The path cannot be passed to {upstream.name}: {error}."
            raise RequestError(message, param="path") from error
        own = (*api.headers(target), *target.headers.items())
        pairs = native_headers.merge_pairs(self._client_pairs(), own, api.defaults)
        http_request = HttpRequest(url, pairs, request.body, request.method)
        if provider.sign is not None:
            http_request = provider.sign(http_request, target, self.gateway.unix_time())
        if self._earlier_gateways:
            passed_on = (LOOP_HEADER, self._earlier_gateways)
            http_request = replace(http_request, headers=(*http_request.headers, passed_on))
        return http_request

    def _resolve_request(self) -> NativeHttpRequest:
        """The request, with the provider's name. Raises HeadwayError."""
        return self.request

    def _key_headers(self) -> Headers:
        """The headers that may have the gateway's key."""
        return self.request.headers

    def _client_pairs(self) -> native_headers.Pairs:
        return native_headers.request_pairs(self.request.headers)

    def _new_reader(self, upstream: Upstream) -> UsageReader | None:
        if self.request.method != "POST":
            return None
        found = find_route(upstream.provider.native, self.request.path)
        if found is None:
            request = self.decoded.request
            if isinstance(request, RelayedRequest):
                return operation_reader(upstream, request)
            return None
        route, _ = found
        provider = upstream.provider if route.kind is None else KINDS[route.kind]
        return embeddings_reader(provider) if route.is_embeddings else chat_reader(provider)

    def _new_relay(self, upstream: Upstream, target: Target, http_request: HttpRequest) -> RawRelay:
        api = upstream.provider.native
        base_url, public_url = api.base_url(target), self.request.public_url

        def head(status: int, headers: Headers) -> list[tuple[bytes, bytes]]:
            pairs = [*map(link, native_headers.response_pairs(headers)), *self._ids(headers)]
            is_stream = any(n == b"content-type" and v.startswith(EVENTS) for n, v in headers)
            return [*pairs, NOT_HELD_BACK] if is_stream else pairs

        def link(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
            name, value = pair
            if name not in api.link_headers:
                return pair
            found = value.decode("latin-1")
            url = client_url(found, http_request.url, base_url, public_url, api.unversioned)
            return name, url.encode("latin-1", "replace")

        return self._relay_class(
            self.sink,
            self.started,
            head=head,
            observer=self.reader,
            secrets=self.secrets(),
            is_head=self.request.method == "HEAD",
            on_done=self._on_relayed,
        )

    _relay_class: type[RawRelay] = RawRelay

    def _ids(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The provider's own ``x-request-id`` stays: its support asks for it."""
        request_id, provider = self.request_id.encode(), self.request.provider
        has_one = any(name == b"x-request-id" for name, _ in headers)
        own = [
            (b"x-headway-provider", provider.encode("ascii", "replace")),
            (OWN_REQUEST_ID, request_id),
        ]
        return own if has_one else [*own, (b"x-request-id", request_id)]

    # --- The response is over ---------------------------------------------------------------------

    def _on_relayed(self, relay: RawRelay) -> None:
        try:
            self._account(relay)
        except Exception as error:
            self._log_defect(error)
            self._close()
            self.sink.abort()

    def _account(self, relay: RawRelay) -> None:
        """Write the record, then the end of the response. Where tokens must be counted, the client
        does not wait for that."""
        error = relay.error or self._provider_error(relay) or self._failure()
        if self._drain is not None:
            error = ClientGone(CLIENT_LEFT)
        if error is not None:
            redact_error(error, self.secrets())
            self._log_failure(error, relay.status)
        result = self._result(relay)
        if self._can_count() and accounting.needs_count(result, error):
            self._end_reply(relay)
            self.gateway.start(self._count_and_record(relay, result, error))
        else:
            is_recorded = self._record(relay, result, error)
            self._close()
            self._end_reply(relay, is_recorded)

    async def _count_and_record(
        self, relay: RawRelay, result: AttemptResult, error: HeadwayError | None
    ) -> None:
        output = "" if self.reader is None else self.reader.accumulator.produced()
        count = self.gateway.count
        is_complete = error is None or self._is_drained(relay)
        result = await accounting.count_tokens(result, output, count, is_complete=is_complete)
        self._record(relay, result, error)
        self._close()

    def _record(self, relay: RawRelay, result: AttemptResult, error: HeadwayError | None) -> bool:
        facts = self._keep_content(self._facts())
        totals = self._totals(facts, result)
        status = None if error is None else self._status_of(error)
        status = relay.status if relay.has_head else status
        sent = relay.bytes_out if self._drain is None else self._drain.bytes_out
        is_drained = self._is_drained(relay)
        line = accounting.attempt_record(
            facts, result, totals, error, sent, status, is_drained=is_drained
        )
        return self._write(line)

    def _keep_content(self, facts: RequestFacts) -> RequestFacts:
        return content.keep_passed(self, facts)

    def _is_drained(self, relay: RawRelay) -> bool:
        return self._drain is not None and relay.error is None

    def _end_reply(self, relay: RawRelay, is_recorded: bool = True) -> None:
        if isinstance(relay.error, ClientGone) or self._drain is not None:
            return
        if relay.error is None and is_recorded:
            relay.end()
        elif relay.has_head:
            self.sink.abort()
        else:
            self._reply(relay.error or InternalError(DEFECT))

    def _provider_error(self, relay: RawRelay) -> HeadwayError | None:
        """The error that the client gets as the provider sent it, for the record."""
        if relay.status < 400 or self.upstream is None:
            return None
        headers = tuple(relay.response_headers.items())
        return self.upstream.provider.decode_error(relay.status, headers, relay.error_body)

    def _failure(self) -> HeadwayError | None:
        """An error inside a stream."""
        failed = None if self.reader is None else self.reader.accumulator.failed
        return failed if isinstance(failed, HeadwayError) else None

    def _result(self, relay: RawRelay) -> AttemptResult:
        assert self.upstream is not None
        reader = self.reader
        summary = ResponseSummary(Usage())
        if reader is not None:
            summary = reader.accumulator.summary()
            relay.arrivals = reader.arrivals
        usage = summary.usage
        is_reported = usage.input_tokens is not None and usage.output_tokens is not None
        return AttemptResult(
            self.upstream,
            self._context(),
            summary,
            usage,
            "reported" if is_reported else None,
            relay.timing(),
            len(relay.arrivals),
            relay.status,
            relay.response_headers,
            relay.bytes_in,
            relay.has_head,
            (),
        )

    def _context(self) -> ResponseContext:
        return ResponseContext(
            id=self.id,
            request_id=self.request_id,
            created=int(self.gateway.unix_time()),
            call=self.decoded,
            sent=self.decoded.request,
            is_passthrough=True,
        )

    def _can_count(self) -> bool:
        """What was sent and what came are known well enough to count their tokens."""
        reader, request = self.reader, self.decoded.request
        if reader is None or not reader.is_readable:
            return False
        if isinstance(request, RelayedRequest):
            return request.characters is not None
        given = request.messages if isinstance(request, ChatRequest) else request.input
        return bytes(given) != bytes(NO_MESSAGES)

    def _totals(self, facts: RequestFacts, result: AttemptResult) -> AttemptTotals:
        try:
            totals = accounting.total(facts, result, self.snapshot.prices)
        except Exception as defect:
            self._log_defect(defect)
            return accounting.UNKNOWN_TOTALS
        if not accounting.has_succeeded(result.status) or totals.cost_usd is not None:
            return totals
        if result.usage == Usage():
            reason = UNREAD_RESPONSE if self._is_read() else UNREAD_ROUTE
            return replace(totals, cost=CallCost(unknown_reason=reason))
        return totals

    def _is_read(self) -> bool:
        return self.reader is not None

    # --- Failures before a response ---------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        """The request was refused, or could not be sent."""
        if not isinstance(error, HeadwayError):
            self._log_defect(error)
            error = InternalError(DEFECT)
        self._close()
        redact_error(error, self.secrets())
        self._log_failure(error, 0)
        if self.key_id is not None and not isinstance(error, LedgerUnavailable):
            facts = content.keep_passed(self, self._facts())
            self._write(accounting.refusal_record(facts, error, self._status_of(error)))
        if not isinstance(error, ClientGone):
            self._reply(error)

    def _status_of(self, error: HeadwayError) -> int:
        """That of a client that left is only on record."""
        return error.status if isinstance(error, ClientGone) else self._format().status_of(error)

    def _format(self) -> ErrorFormat:
        return self._error_format(None if self.upstream is None else self.upstream.provider.wire)

    def _reply(self, error: HeadwayError) -> None:
        dialect = self._format()
        body = dialect.encode_error(error, self.request.provider or None, self.request_id)
        headers = ResponseHeaders(
            self.request_id,
            provider=self.upstream.name if self.upstream is not None and self.attempts else None,
            attempts=self.attempts or None,
            retry_after_s=error.retry_after_s,
            id_header=dialect.id_header,
        )
        self.sink.send_response(dialect.status_of(error), headers, body)

    def secrets(self) -> list[str]:
        secrets = [] if self.upstream is None else self.upstream.secrets
        own = [] if self.decoded.api_key is None else [self.decoded.api_key]
        credentials = () if self._target is None else self._target.credentials.values()
        return [*secrets, *own, *credentials, *authorization_tokens(self.request.headers)]

    # --- Record and log ---------------------------------------------------------------------------

    def _facts(self) -> RequestFacts:
        gateway, request = self.gateway, self.request
        return RequestFacts(
            self.id,
            self.id,
            self.request_id,
            self.route,
            self.key_id,
            len(request.body),
            self.decoded,
            self.upstream,
            self.attempts,
            self._bytes_up() if self.attempts else None,
            self.overhead_s,
            gateway.clock() - self.started,
            gateway.unix_time(),
            f"{request.method} {request.path or '/'}",
        )

    def _bytes_up(self) -> int:
        return len(self.request.body)

    def _write(self, line: bytes) -> bool:
        try:
            self.gateway.spool.append(line)
        except Exception as error:
            self._log_defect(error)
            return False
        return True

    def _log_failure(self, error: HeadwayError, upstream_status: int) -> None:
        log_call_failure(
            "request failed",
            error,
            self.decoded,
            upstream_status=upstream_status,
            request_id=self.request_id,
            route=self.route.route,
            method=self.request.method,
            path=self.request.path,
            duration_s=round(self.gateway.clock() - self.started, 6),
        )

    def _log_defect(self, error: Exception) -> None:
        extra = fields(request_id=self.request_id)
        log.error("the request failed on a defect of the gateway", exc_info=error, extra=extra)

    def _on_client_gone(self) -> None:
        if self.is_over:
            return
        self._drain = start_drain(
            self.gateway, lambda: self.snapshot.drain, self._relay, self.sink, self._output_usd
        )
        if self._drain is None:
            self.abort(ClientGone(CLIENT_LEFT))

    def _output_usd(self) -> Decimal | None:
        """The estimated cost of the output so far."""
        if self._relay is None or self.reader is None or not self._can_count():
            return None
        output = self.reader.accumulator.produced()
        return accounting.output_usd(self._result(self._relay), output, self.snapshot.prices)

    def _close(self) -> None:
        self.is_over = True
        self.gateway.active.discard(self)
        self._relay = self._task = None  # they refer to this call
        self.sink.on_gone = self.sink.on_pause = self.sink.on_resume = None
