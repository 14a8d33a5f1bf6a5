"""What a request may have from the cache, and which response may be kept."""

from __future__ import annotations

import re
from hashlib import sha256

from msgspec import Struct

from headway.dialects.base import DecodedRequest
from headway.events import ResponseSummary
from headway.pipeline.cache_policy import CachePolicy, policy_for
from headway.pipeline.cached_reply import KEPT_HEADERS, join_lines
from headway.pipeline.gateway import Snapshot, Upstream
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
from headway.policy.last_text import split_last_text
from headway.ports import CachedResponse
from headway.routing.route import Route
from headway.routing.wishes import NO_WISHES, Wishes
from headway.types import ChatRequest, Headers

MAX_TTL_S = 30 * 86400.0
_REFUSAL = re.compile(rb'(?<!\\)"refusal"\s*:\s*"')
"""A refusal in OpenAI's formats, whose finish reason is that of any answer."""


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
    group: bytes | None = None
    """Identifies all of the request but its last text; None where that is not compared."""
    text: str = ""
    """The last text."""

    def takes(self, response: CachedResponse | None, now: float) -> bool:
        """Whether ``response`` is young enough. ``now`` is in unix seconds."""
        if response is None:
            return False
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
    """``target`` and ``wire`` as of ``make_cache_key``. None where neither the policy nor the
    request says that its response may be kept."""
    control = read_cache_control(headers)
    ttl_s = policy.ttl_s if control.ttl is None else min(control.ttl, MAX_TTL_S)
    if ttl_s is None:
        return None
    if not _may_be_cached(policy, decoded, control):
        return Lookup(policy=policy)
    tenant = _tenant(policy, decoded, key_id)
    key = make_cache_key(decoded.request, tenant=tenant, target=target, wire=wire)
    rest, text = None, ""
    if policy.semantic is not None and isinstance(decoded.request, ChatRequest):
        rest, text = split_last_text(decoded.request) or (None, "")
    is_shareable = policy.coalesce == "all" or is_deterministic(decoded.request)
    return Lookup(
        policy=policy,
        key=key,
        ttl_s=ttl_s,
        reads=not control.no_cache and control.max_age != 0,
        writes=not control.no_store and ttl_s > 0,
        max_age_s=control.max_age,
        coalesces=policy.coalesce != "off" and is_shareable and not control.no_cache,
        group=None
        if rest is None
        else make_cache_key(rest, tenant=tenant, target=target, wire=wire),
        text=text,
    )


def _may_be_cached(policy: CachePolicy, decoded: DecodedRequest, control: CacheControl) -> bool:
    if (control.no_store and control.no_cache) or decoded.recall is not None:
        return False
    request = decoded.request
    return is_stateless(request) and (policy.with_tools or not offers_tools(request))


def _tenant(policy: CachePolicy, decoded: DecodedRequest, key_id: str) -> str:
    """A client's own provider key or address keeps its responses apart from all others."""
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


def name_route(route: Route, wishes: Wishes) -> str:
    """What answers a request of a route: its targets with their parameters, of which the request
    may exclude some."""
    return _name_targets(route) + _name_wishes(wishes)


def _name_targets(route: Route) -> str:
    targets = [f"{target.id} {sorted(target.parameters.items())}" for target in route.targets]
    return f"route {route.name}: {', '.join(targets)}"


def _name_wishes(wishes: Wishes) -> str:
    return "" if wishes == NO_WISHES else f" {wishes}"


def policy_of_route(
    snapshot: Snapshot, route: Route, wishes: Wishes, own_headers: Headers
) -> tuple[CachePolicy | None, str]:
    """The policy for a request of a route, and what answers it."""
    if route.cache is None:
        policy = policy_for(snapshot.cache, None, own_headers)
        return policy, "" if policy is None else name_route(route, wishes)
    found = snapshot.route_policies.get(route.name)
    if found is None or found[0] is not route:
        policy = policy_for(snapshot.cache, route.cache, own_headers)
        assert policy is not None
        found = snapshot.route_policies[route.name] = route, policy, _name_targets(route)
    return found[1], found[2] + _name_wishes(wishes)


def is_whole(summary: ResponseSummary, shared: SharedResponse) -> bool:
    """Whether a response that came to its end may be given again: it is neither cut off nor
    filtered nor refused, and all of it is here."""
    if summary.finish_reason not in WHOLE_REASONS or not shared.is_whole:
        return False
    return not any(map(_REFUSAL.search, shared.pieces))


def new_response(
    lookup: Lookup,
    shared: SharedResponse,
    *,
    provider: str,
    model: str,
    reply_id: str | None,
    now: float,
) -> CachedResponse:
    """The response to keep. ``now`` is in unix seconds."""
    pieces, times = shared.pieces, [time - shared.responded for time in shared.times]
    if lookup.policy.replays_pace:
        pieces, times = join_lines(pieces, times)
    else:
        pieces, times = [b"".join(pieces)], times[-1:]
    return CachedResponse(
        provider=provider,
        model=model,
        stored=now,
        expires=now + lookup.ttl_s,
        status=shared.status,
        headers=tuple(header for header in shared.headers if header[0] in KEPT_HEADERS),
        pieces=tuple(pieces),
        times=tuple(times),
        reply_id=reply_id,
    )
