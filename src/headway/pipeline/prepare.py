"""Adapt the request of a call to the provider that it is sent to."""

from __future__ import annotations

from typing import Protocol

from headway.dialects.base import DecodedRequest, Dialect, ResponseContext
from headway.pipeline import provider_calls
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.types import Headers


class HeaderSource(Protocol):
    """Adds headers to the client's response."""

    @property
    def headers(self) -> Headers: ...


class PlannedCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    id: str
    request_id: str
    key_id: str | None

    @property
    def cache_use(self) -> HeaderSource | None: ...


def prepare(call: PlannedCall, upstream: Upstream, decoded: DecodedRequest) -> ResponseContext:
    """Raises RequestError for a request that the provider cannot be sent."""
    dialect, snapshot, request = call.dialect, call.snapshot, decoded.request
    if dialect.checks_parameters:
        request = provider_calls.check_parameters(upstream, request)
    sent, transformations = provider_calls.adapt_client_request(upstream, dialect, request)
    if transformations and (decoded.strict or snapshot.strict):
        provider_calls.refuse_changes(upstream, request, transformations)
    elif transformations and decoded.requires_parameters:
        provider_calls.refuse_drops(upstream, transformations)
    return ResponseContext(
        id=call.id,
        request_id=call.request_id,
        created=int(call.gateway.unix_time()),
        call=decoded,
        sent=sent,
        transformations=transformations,
        is_passthrough=dialect.wire == upstream.provider.wire
        and not (transformations and provider_calls.changes_calls(transformations)),
        is_stored=decoded.reply_storage is not None
        and snapshot.content.mode_for(call.key_id) == "full",
        id_header=dialect.id_header,
        write_rate_limits=dialect.write_rate_limits,
        headers=() if call.cache_use is None else call.cache_use.headers,
    )
