"""Write rate limits as headers, in OpenAI's names (platform.openai.com/docs/guides/rate-limits)."""

from __future__ import annotations

from collections.abc import Callable

from headway.types import Headers, RateLimits
from headway.wire.rate_limit_values import format_duration

RateLimitWriter = Callable[[RateLimits, float], Headers]
"""(limits, unix seconds) -> the headers that tell them."""
KINDS = ("requests", "tokens")
"""OpenAI has no names for others."""


def no_rate_limits(limits: RateLimits, now: float) -> Headers:
    """For clients that know no such headers."""
    return ()


def write_rate_limits(limits: RateLimits, now: float) -> Headers:
    """An unknown value has no header."""
    found: list[tuple[bytes, bytes]] = []
    for kind in KINDS:
        if kind not in limits:
            continue
        limit = limits[kind]
        values = {
            "limit": limit.limit,
            "remaining": limit.remaining,
            "reset": None if limit.reset_s is None else format_duration(limit.reset_s),
        }
        for part, value in values.items():
            if value is not None:
                found.append((f"x-ratelimit-{part}-{kind}".encode(), str(value).encode()))
    return found
