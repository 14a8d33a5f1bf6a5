"""Start an attempt of a call: send the request of its target, and let the client pause it."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, Dialect, ResponseContext
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_guard import AttemptGuard
from headway.pipeline.attempt_origin import KeptOrigin, header_lines
from headway.pipeline.cached_call import CacheUse
from headway.pipeline.continuation import BrokenStream, ContinuedAttempt
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.relayed_attempt import attempt_class
from headway.policy.gateway_loop import HEADER as LOOP_HEADER
from headway.ports import Sink, UpstreamRequest
from headway.types import HttpRequest, Target


class SendingCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    dialect: Dialect
    sink: Sink
    started: float
    attempts: int
    attempt: Attempt | None
    cache_use: CacheUse | None
    decoded: DecodedRequest | None
    earlier_gateways: str
    target: Target
    upstream: Upstream | None
    upstream_request_bytes: int | None

    def count_overhead(self) -> None: ...

    def on_attempt_done(self, attempt: Attempt) -> None: ...


def send_attempt(
    call: SendingCall,
    upstream: Upstream,
    context: ResponseContext,
    http_request: HttpRequest,
    guard: AttemptGuard | None,
    may_follow: bool,
    broken: BrokenStream | None = None,
) -> Attempt:
    """``call.target`` is its target. ``may_follow``: another attempt may. ``broken`` is the stream
    that it continues."""
    call.attempts += 1
    if upstream.provider.sign is not None:
        unix_time = call.gateway.unix_time()
        http_request = upstream.provider.sign(http_request, call.target, unix_time)
    if call.earlier_gateways:  # not signed, because the transport adds its own id to it
        passed_on = (LOOP_HEADER, call.earlier_gateways)
        http_request = replace(http_request, headers=(*http_request.headers, passed_on))
    attempt = new_attempt(call, upstream, context, guard, broken, may_follow=may_follow)
    call.upstream_request_bytes = len(http_request.body)
    call.count_overhead()
    is_configured = context.call.base_url is None
    transport = upstream.transport if is_configured else upstream.public_transport
    sharing = None
    if call.cache_use is not None and broken is None:
        sharing = call.cache_use.share(attempt)
    if sharing is None:
        request = transport.send(http_request, upstream.timeouts, attempt)
        if attempt.sent is None:
            attempt.waiting_since = call.gateway.clock()
    else:
        shared, request = sharing
        shared.bind(transport.send(http_request, upstream.timeouts, shared))
    couple(call, attempt, request)
    return attempt


def couple(call: SendingCall, attempt: Attempt, request: UpstreamRequest) -> None:
    """Let a slow client pause the response."""
    attempt.upstream_request = request
    if attempt.encoder is not None:
        guard, sink = attempt.guard, call.sink
        sink.on_pause = request.pause
        sink.on_resume = request.resume if guard is None else guard.resume
        if sink.is_paused:
            request.pause()


def new_attempt(
    call: SendingCall,
    upstream: Upstream,
    context: ResponseContext,
    guard: AttemptGuard | None,
    broken: BrokenStream | None = None,
    *,
    may_follow: bool,
) -> Attempt:
    gateway, encoder, unix_offset = call.gateway, None, 0.0
    made: type[Attempt] = attempt_class(context.sent) if broken is None else ContinuedAttempt
    if context.call.stream:
        encoder = call.dialect.stream(context) if broken is None else broken.attempt.encoder
        unix_offset = gateway.unix_time() - gateway.clock()
    attempt = made(
        upstream,
        context,
        encoder,
        call.sink,
        call.started,
        unix_offset,
        call.attempts,
        may_follow,
        call.on_attempt_done,
        guard,
    )
    if guard is not None:
        guard.attempt = attempt
        call.upstream = upstream
        if broken is None:  # else it has the answer so far
            call.decoded = context.call
    previous, call.attempt = call.attempt, attempt
    if previous is not None and previous.has_headers:
        attempt.has_headers = True  # a keep-alive comment was written before any content
        attempt.last_write = previous.last_write
        if not previous.number:  # of another call's response, which has no record of its own
            attempt.bytes_out = previous.bytes_out
    if broken is not None and isinstance(attempt, ContinuedAttempt):
        attempt.follow(broken)
    return attempt


def new_reader(
    call: SendingCall, upstream: Upstream, context: ResponseContext, route_name: str | None
) -> Attempt:
    """An attempt that reads a response which no provider is asked for."""
    call.upstream, call.decoded = upstream, context.call
    attempt = new_attempt(call, upstream, context, None, may_follow=True)
    if route_name is not None:
        target_id = f"{upstream.name}/{context.call.request.model}"
        attempt.origin = KeptOrigin(target_id, route_name, header_lines(target_id, route_name))
    call.count_overhead()
    return attempt


def continue_with(call: SendingCall, attempt: Attempt) -> None:
    """Of attempts beside each other, ``attempt`` is the one that goes on."""
    before, call.attempt = call.attempt, attempt
    call.decoded, call.upstream = attempt.context.call, attempt.upstream
    attempt.number = call.attempts
    if before is not None and before.has_headers:
        attempt.has_headers = True
        attempt.last_write = before.last_write
    if attempt.upstream_request is not None:
        couple(call, attempt, attempt.upstream_request)


def end_stream(sink: Sink, pieces: list[bytes]) -> None:
    *first, last = pieces or [b""]
    for piece in first:
        sink.write(piece)
    sink.end(last)
