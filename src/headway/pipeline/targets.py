"""Build the target of a call: its address, its key, and the options and headers to send.

Configured secrets (the key, the headers, the options that requests are signed with) are sent to the
configured address only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.errors import InvalidField, MissingProviderKey
from headway.pipeline.gateway import Gateway, Upstream, UpstreamKey
from headway.ports import RoutingState
from headway.routing import provider_keys
from headway.types import Target

NO_CREDENTIALS: Mapping[str, str] = {}


def fixed(upstream: Upstream) -> Target | None:
    """The target of every call that brings neither key nor address, if it is known in advance."""
    has_key = upstream.api_key is not None or not upstream.needs_key
    if upstream.base_url is None or not has_key or _needs_credentials(upstream, None):
        return None
    return build(upstream)


def build_at_once(upstream: Upstream, decoded: DecodedRequest) -> Target | None:
    """The target, or None if a launcher or credentials must be awaited (``resolve``). Raises what
    ``build`` raises."""
    credentials: Mapping[str, str] | None = NO_CREDENTIALS
    if upstream.credentials is not None and _needs_credentials(upstream, decoded):
        credentials = upstream.credentials.cached()
    if credentials is None or _needs_launcher(upstream, decoded):
        return None
    return build(upstream, decoded, credentials=credentials)


async def resolve(
    gateway: Gateway, upstream: Upstream, decoded: DecodedRequest | None = None
) -> Target:
    """The target of a call; without ``decoded``, of the gateway's own requests. Raises what
    ``build``, the launcher and the credential source raise."""
    if decoded is None and upstream.target is not None:
        return upstream.target
    launched_url = None
    if upstream.launcher is not None and _needs_launcher(upstream, decoded):
        launched_url = await gateway.share(upstream.launcher.base_url())
    credentials = NO_CREDENTIALS
    if upstream.credentials is not None and _needs_credentials(upstream, decoded):
        credentials = await gateway.share(upstream.credentials.credentials())
    return build(upstream, decoded, launched_url, credentials)


def build(
    upstream: Upstream,
    decoded: DecodedRequest | None = None,
    launched_url: str | None = None,
    credentials: Mapping[str, str] = NO_CREDENTIALS,
) -> Target:
    """Raises InvalidField, MissingProviderKey."""
    own_url = None if decoded is None else decoded.base_url
    api_key = None if decoded is None else decoded.api_key
    if own_url is not None and not own_url.startswith(("http://", "https://")):
        message = "`base_url` must be an http:// or https:// address."
        raise InvalidField(message, param="base_url")
    if api_key is None and own_url is None:
        api_key = upstream.api_key
        if api_key is None and upstream.needs_key:
            raise _missing_key(upstream, None if decoded is None else decoded.key_field)
    options = upstream.options if own_url is None else upstream.public_options
    return Target(
        provider=upstream.name,
        base_url=own_url or upstream.base_url or launched_url or "",
        api_key=api_key,
        options={**options, **decoded.options} if decoded and decoded.options else options,
        headers=upstream.headers if own_url is None else {},
        credentials=credentials,
    )


def choose_key(
    upstream: Upstream,
    state: RoutingState,
    target_id: str,
    now: float,
    draw: float,
    tried: Collection[str] = (),
) -> UpstreamKey:
    """One of several keys of a provider. Where all are set aside or cool down, one of all: a call
    that may fail is better than one that does. ``draw`` is from [0, 1)."""

    def is_usable(key_id: str) -> bool:
        return not state.key_blocked_s(target_id, key_id, now)

    chosen = provider_keys.choose_key(upstream.keys, is_usable, draw, tried)
    chosen = chosen or provider_keys.choose_key(upstream.keys, lambda _: True, draw)
    assert isinstance(chosen, UpstreamKey)
    return chosen


def with_chosen_key(
    gateway: Gateway, upstream: Upstream, decoded: DecodedRequest, target: Target
) -> Target:
    """``target`` with one of several keys, for a request that is sent once."""
    if not upstream.keys or decoded.api_key is not None or decoded.base_url is not None:
        return target
    state, target_id = gateway.routing_state, f"{upstream.name}/{decoded.request.model}"
    key = choose_key(upstream, state, target_id, gateway.clock(), gateway.rng())
    return replace(target, api_key=key.key)


def has_key_left(
    upstream: Upstream, state: RoutingState, target_id: str, now: float, tried: Collection[str]
) -> bool:
    """Whether there is a key that a call has not tried, and that is usable now."""
    return any(
        key.id not in tried and not state.key_blocked_s(target_id, key.id, now)
        for key in upstream.keys
    )


def _needs_launcher(upstream: Upstream, decoded: DecodedRequest | None) -> bool:
    has_own_url = decoded is not None and bool(decoded.base_url)
    return upstream.launcher is not None and not (has_own_url or upstream.base_url)


def _needs_credentials(upstream: Upstream, decoded: DecodedRequest | None) -> bool:
    if upstream.credentials is None or upstream.api_key is not None:
        return False
    return decoded is None or (decoded.api_key is None and decoded.base_url is None)


def _missing_key(upstream: Upstream, key_field: str | None) -> MissingProviderKey:
    """``key_field``: where a client may send one."""
    return MissingProviderKey(
        f"There is no key for {upstream.name}: set {upstream.key_name} in the gateway's environment"
        f" or providers.{upstream.name}.api_key in its configuration"
        f"{'.' if key_field is None else f', or send `{key_field}`.'}",
        param=key_field or "api_key",
        provider=upstream.name,
    )
