"""Write rate limits as Anthropic's headers (platform.claude.com/docs/en/api/rate-limits)."""

from __future__ import annotations

from headway.types import Headers, RateLimits
from headway.wire.rate_limit_values import format_time


def write_rate_limits(limits: RateLimits, now: float) -> Headers:
    """``now`` is unix seconds. An unknown value has no header."""
    found: list[tuple[bytes, bytes]] = []
    for kind, limit in limits.items():
        values = {
            "limit": limit.limit,
            "remaining": limit.remaining,
            "reset": None if limit.reset_s is None else format_time(now + limit.reset_s),
        }
        for part, value in values.items():
            if value is not None:
                name = f"anthropic-ratelimit-{kind}-{part}"
                found.append((name.encode(), str(value).encode()))
    return found
