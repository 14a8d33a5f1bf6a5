"""Answer a call with a response that another call is getting, or that the cache keeps: the latter
without reading it once more, where that is known to be the same as before."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.metering.timing import Timing
from headway.pipeline import accounting, response_head
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt_origin import KeptOrigin, header_lines
from headway.pipeline.cached_reply import fill, new_reply_id, renew, replay
from headway.pipeline.call_records import RecordedCall, facts_of, write_record
from headway.pipeline.gateway import Upstream
from headway.pipeline.known_replies import KnownReply, find_known
from headway.pipeline.prepare import prepare
from headway.pipeline.sending import SendingCall, couple, new_reader
from headway.pipeline.shared_response import SharedResponse
from headway.ports import CachedResponse, ResponseHeaders

Reply = tuple[ResponseHeaders, bytes]


class AnsweredCall(RecordedCall, SendingCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    @property
    def route_name(self) -> str | None:
        """None for a call of one model."""


def read_shared(
    call: AnsweredCall, upstream: Upstream, decoded: DecodedRequest, shared: SharedResponse
) -> None:
    attempt = new_reader(call, upstream, prepare(call, upstream, decoded), call.route_name)
    reader = shared.join(attempt)
    couple(call, attempt, reader)
    reader.start(call.gateway.clock())


def read_kept(
    call: AnsweredCall,
    upstream: Upstream,
    decoded: DecodedRequest,
    response: CachedResponse,
    key: bytes | None,
) -> Reply | None:
    """The reply, which is put on record; or None, and an attempt reads ``response``."""
    known = find_known(call, upstream, decoded, response, key)
    if known is not None:
        return _answer_again(call, upstream, decoded, response, known)
    attempt = new_reader(call, upstream, prepare(call, upstream, decoded), call.route_name)
    body = b"".join(renew(response, call.id, call.gateway.unix_time()))
    replay(response, body, attempt, call.gateway.clock())
    return None


def _answer_again(
    call: AnsweredCall,
    upstream: Upstream,
    decoded: DecodedRequest,
    response: CachedResponse,
    known: KnownReply,
) -> Reply:
    call.upstream, call.decoded = upstream, decoded
    call.count_overhead()
    facts, summary, given = facts_of(call), known.summary, response.reply_id
    new_id = new_reply_id(given, call.id) if given else ""
    if given:
        summary = replace(summary, id=new_id)
    body = fill(known.template, new_id, facts.now)
    elapsed, origin, route_name = facts.elapsed_s, None, call.route_name
    if route_name is not None:
        target_id = f"{upstream.name}/{response.model}"
        origin = KeptOrigin(target_id, route_name, header_lines(target_id, route_name))
    result = AttemptResult(
        upstream, _context_of(call, decoded, known), summary, summary.usage, "reported",
        Timing(elapsed, elapsed, elapsed, elapsed), 1, response.status, known.headers, len(body),
        False, known.transformations, origin,
    )  # fmt: skip
    totals = accounting.total(facts, result, call.snapshot.prices)
    headers = response_head.describe_response(facts, result, totals)
    write_record(call, accounting.attempt_record(facts, result, totals, None, len(body)))
    return headers, body


def _context_of(call: AnsweredCall, decoded: DecodedRequest, known: KnownReply) -> ResponseContext:
    dialect, use = call.dialect, call.cache_use
    return ResponseContext(
        id=call.id,
        request_id=call.request_id,
        created=int(call.gateway.unix_time()),
        call=decoded,
        sent=decoded.request,
        transformations=known.transformations,
        is_passthrough=True,
        id_header=dialect.id_header,
        write_rate_limits=dialect.write_rate_limits,
        headers=() if use is None else use.headers,
    )
