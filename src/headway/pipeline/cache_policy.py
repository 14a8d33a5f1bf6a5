"""The configured rules of the cache."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from headway.policy.cache_key import names_ttl
from headway.routing.route import CacheRule
from headway.types import Headers


class SemanticRules(Struct, frozen=True, kw_only=True):
    """When a request is answered with the response to a similar one."""

    model: str
    """The ``provider/model`` of the vectors, or another name that the gateway knows."""
    threshold: float
    """The least similarity of two texts, from 0 to 1."""
    serves: bool = False
    """False: only put on record what would have been served."""


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
    semantic: SemanticRules | None = None


def policy_for(
    general: CachePolicy | None, rule: CacheRule | None, own_headers: Headers
) -> CachePolicy | None:
    """The policy for a request, by the rule of its route if it has one. None where neither the
    configuration nor ``own_headers`` of the request say that responses are kept."""
    if rule is not None:
        return _with_rule(general or CachePolicy(), rule)
    if general is None or (general.ttl_s is None and not (own_headers and names_ttl(own_headers))):
        return None
    return general


def _with_rule(general: CachePolicy, rule: CacheRule) -> CachePolicy:
    coalesce = "all" if rule.coalesces_always else "deterministic" if rule.coalesces else "off"
    return replace(
        general,
        ttl_s=rule.ttl_s,
        with_tools=rule.with_tools,
        replays_pace=rule.replays_pace,
        coalesce=coalesce,
    )
