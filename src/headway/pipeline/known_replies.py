"""What the replies with one kept response have in common, so that it is found out once: the usual
response, a whole one that is passed through and read for nothing but its usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from headway.dialects.base import DecodedRequest, Dialect
from headway.events import ResponseSummary
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt import Attempt
from headway.pipeline.cached_reply import ReplyTemplate, make_template
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.policy.cache_key import IGNORED, fields_of
from headway.ports import CachedResponse
from headway.types import Transformation

MAX_KEPT = 1024
MAX_BYTES = 16 * 1024
"""Of a body whose template is kept: it is held in memory besides the response."""


Fields = tuple[tuple[str, bytes], ...]


class KnownReply(Struct, frozen=True):
    stored: float
    """Of the response: another one under the same key has another time."""
    upstream: Upstream
    dialect: Dialect
    template: ReplyTemplate
    summary: ResponseSummary
    transformations: tuple[Transformation, ...]
    headers: Mapping[bytes, bytes]
    """Of the response."""
    unkeyed: Fields
    """Of the request, whose provider may take them or not, though the answer does not depend on
    them."""


class AnsweredCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect


def find_known(
    call: AnsweredCall,
    upstream: Upstream,
    decoded: DecodedRequest,
    response: CachedResponse,
    key: bytes | None,
) -> KnownReply | None:
    """None: the response must be read, or the request is not a usual one."""
    known: KnownReply | None = None if key is None else call.gateway.known_replies.get(key)
    if known is None or known.stored != response.stored or known.upstream is not upstream:
        return None
    if known.dialect is not call.dialect or decoded.stream or not call.snapshot.content.is_off:
        return None
    if known.unkeyed != _unkeyed(decoded):
        return None
    is_strict = decoded.strict or call.snapshot.strict or decoded.requires_parameters
    return None if is_strict and known.transformations else known


def remember(
    call: AnsweredCall,
    response: CachedResponse,
    key: bytes,
    attempt: Attempt,
    result: AttemptResult,
) -> None:
    """``attempt`` has read ``response`` to its end."""
    is_usual = attempt.encoder is None and attempt.is_summarized
    if not is_usual or len(attempt.body) > MAX_BYTES or result.tokens_source != "reported":
        return
    known = call.gateway.known_replies
    if len(known) >= MAX_KEPT:
        known.clear()
    known[key] = KnownReply(
        response.stored,
        attempt.upstream,
        call.dialect,
        make_template(b"".join(response.pieces), response),
        result.summary,
        result.transformations,
        result.response_headers,
        _unkeyed(attempt.context.call),
    )


def _unkeyed(decoded: DecodedRequest) -> Fields:
    fields = fields_of(decoded.request)
    if IGNORED.isdisjoint(fields):
        return ()
    return tuple([(name, bytes(fields[name])) for name in fields if name in IGNORED])
