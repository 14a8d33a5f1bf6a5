"""The configured rules of the cache."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


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
