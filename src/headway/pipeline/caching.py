"""Answer a request with the response to an identical one, kept or still arriving.

    lookup = find_lookup(snapshot, decoded, headers, ...)         # None: no rule is about it
    found = await find_response(gateway, lookup)                  # kept
    ...
    keep_response(gateway, lookup, shared, result, cost_usd)      # after a good answer

Only complete answers are kept: none that failed, was cut off at a limit or was filtered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from headway.dialects.base import DecodedRequest
from headway.events import ResponseSummary
from headway.pipeline.cached_reply import KEPT_HEADERS, join_lines
from headway.pipeline.gateway import Upstream
from headway.pipeline.shared_response import SharedResponse
from headway.policy.cache_key import (
    WHOLE_REASONS,
    CacheControl,
    is_deterministic,
    is_stateless,
    make_cache_key,
    offers_tools,
    read_cache_control,
)
from headway.ports import CachedResponse, ResponseCache
from headway.types import Headers

CacheStatus = Literal["hit", "miss", "coalesced", "bypass"]
MAX_TTL_S = 30 * 86400.0


class CachePolicy(Struct, frozen=True, kw_only=True):
    """How responses are kept, for all models or for one route."""

    ttl_s: float | None = None
    """None: only for requests that say for how long."""
    per_key: bool = True
    """Each gateway key has its own."""
    response_limit: int = 4 * 1024 * 1024
    """Bytes."""
    with_tools: bool = False
    replays_pace: bool = False
    coalesce: Literal["off", "deterministic", "all"] = "deterministic"


class Lookup(Struct, frozen=True, kw_only=True):
    """What one request may have from the cache, and give to it."""

    policy: CachePolicy
    key: bytes | None = None
    """None: the request is not answered from the cache."""
    ttl_s: float = 0.0
    reads: bool = False
    writes: bool = False
    max_age_s: float | None = None
    coalesces: bool = False

    def is_fresh(self, response: CachedResponse, now: float) -> bool:
        return self.max_age_s is None or now - response.stored <= self.max_age_s


def find_lookup(
    policy: CachePolicy,
    decoded: DecodedRequest,
    headers: Headers,
    *,
    key_id: str,
    target: str,
    wire: str,
) -> Lookup | None:
    """``target``: as of ``make_cache_key``. None where neither the policy nor the request says that
    its response may be kept."""
    control = read_cache_control(headers)
    ttl_s = policy.ttl_s if control.ttl is None else min(control.ttl, MAX_TTL_S)
    if ttl_s is None:
        return None
    if not _is_cacheable(policy, decoded, control):
        return Lookup(policy=policy)
    tenant = _tenant(policy, decoded, key_id)
    key = make_cache_key(decoded.request, tenant=tenant, target=target, wire=wire)
    if key is None:
        return Lookup(policy=policy)
    is_shareable = policy.coalesce == "all" or is_deterministic(decoded.request)
    return Lookup(
        policy=policy,
        key=key,
        ttl_s=ttl_s,
        reads=not control.no_cache and control.max_age != 0,
        writes=not control.no_store and ttl_s > 0,
        max_age_s=control.max_age,
        coalesces=policy.coalesce != "off" and is_shareable and not control.no_cache,
    )


def _is_cacheable(policy: CachePolicy, decoded: DecodedRequest, control: CacheControl) -> bool:
    request = decoded.request
    if control.no_store and control.no_cache:
        return False
    if decoded.recall is not None or decoded.own_reply is not None:
        return False
    return is_stateless(request) and (policy.with_tools or not offers_tools(request))


def _tenant(policy: CachePolicy, decoded: DecodedRequest, key_id: str) -> str:
    """A client's own key or address keeps its responses apart from all others."""
    parts = [key_id if policy.per_key else "*"]
    if decoded.api_key:
        parts.append(sha256(decoded.api_key.encode()).hexdigest())
    if decoded.base_url:
        parts.append(decoded.base_url)
    if decoded.options:
        parts.append(repr(sorted(decoded.options.items())))
    return "\n".join(parts)


def name_target(upstream: Upstream, model: str) -> str:
    """What answers a request without a route."""
    return f"{upstream.name}/{model} {upstream.provider.name} {upstream.base_url}"


def is_whole(summary: ResponseSummary, refused: bool) -> bool:
    """Whether an answer may be given again."""
    return not refused and summary.finish_reason in WHOLE_REASONS


def new_response(
    lookup: Lookup,
    shared: SharedResponse,
    upstream: Upstream,
    model: str,
    now: float,
    *,
    reply_id: str | None,
    cost_usd: str | None,
) -> CachedResponse:
    """``now`` is in unix seconds."""
    pieces, times = shared.pieces, [time - shared.responded for time in shared.times]
    if lookup.policy.replays_pace:
        pieces, times = join_lines(pieces, times)
    else:
        pieces, times = [b"".join(pieces)], times[-1:]
    return CachedResponse(
        provider=upstream.name,
        model=model,
        stored=now,
        expires=now + lookup.ttl_s,
        status=shared.status,
        headers=tuple(header for header in shared.headers if header[0] in KEPT_HEADERS),
        pieces=tuple(pieces),
        times=tuple(times),
        reply_id=reply_id,
        cost_usd=cost_usd,
    )


async def find_response(cache: ResponseCache, lookup: Lookup, now: float) -> CachedResponse | None:
    """Where the cache is shared with other processes."""
    assert lookup.key is not None
    response = await cache.load(lookup.key, now)
    return response if response is not None and lookup.is_fresh(response, now) else None


class InFlight:
    """A request whose response others wait for. ``begun`` has the response once a good one has
    begun, or None once there will be none."""

    def __init__(self) -> None:
        self._begun: asyncio.Future[SharedResponse | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def begun(self) -> SharedResponse | None:
        return await asyncio.shield(self._begun)

    def begin(self, shared: SharedResponse) -> None:
        if not self._begun.done():
            self._begun.set_result(shared)

    def give_up(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)


InFlightRequests = Mapping[bytes, InFlight]
