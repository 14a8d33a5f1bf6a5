"""Read the rate limits that a provider tells in the headers of its responses.

``x-ratelimit-limit-requests`` and the like of OpenAI are the most common names
(platform.openai.com/docs/guides/rate-limits); others say the window in the name (Mistral's
``x-ratelimit-limit-req-minute``, Cerebras' ``x-ratelimit-limit-requests-day``), or no kind at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from headway.types import RateLimit, RateLimits
from headway.wire.rate_limit_values import read_count, read_reset

PERIOD = b"x-ratelimit-renewalperiod-"
"""Beside it, Azure's resets are bare numbers, of seconds on some routes and of milliseconds on
others: recordings have 1 for 50 requests a minute, and 500 for 120."""

Names = tuple[bytes, bytes, bytes]
"""The headers of a limit, of what remains of it, and of the time until it is reset."""


class RateLimitHeaders(Struct, frozen=True):
    """The headers of one family of providers."""

    kinds: Mapping[str, tuple[Names, ...]]
    """Name in ``RateLimits`` -> the headers that may tell it; the first that are there count."""
    prefixes: tuple[bytes, ...]
    """The beginnings of the names of all headers of the family."""
    names: frozenset[bytes]
    """Those of ``kinds``."""


def rate_limit_headers(
    kinds: Mapping[str, tuple[Names, ...]], *prefixes: bytes
) -> RateLimitHeaders:
    names = (name for families in kinds.values() for family in families for name in family)
    return RateLimitHeaders(kinds, prefixes, frozenset(names))


def _names(suffix: str = "") -> Names:
    parts = ("limit", "remaining", "reset")
    limit, remaining, reset = (f"x-ratelimit-{part}{suffix}".encode() for part in parts)
    return limit, remaining, reset


COMMON = rate_limit_headers(
    {
        "requests": (
            _names("-requests"),
            _names("-req-minute"),
            _names("-requests-minute"),
            _names("-requests-day"),
            _names(),
        ),
        "tokens": (
            _names("-tokens"),
            _names("-tokens-minute"),
            (b"ratelimitbysize-limit", b"ratelimitbysize-remaining", b"ratelimitbysize-reset"),
        ),
    },
    b"x-ratelimit-",
    b"ratelimitbysize-",
)
"""OpenAI's, and those that its copies have."""


def read_rate_limits(
    known: RateLimitHeaders, headers: Mapping[bytes, bytes], now: float
) -> RateLimits:
    """The limits that ``headers`` tell, by kind. ``now`` is unix seconds."""
    found: dict[str, RateLimit] = {}
    for kind, families in known.kinds.items():
        for names in families:
            if not headers.keys().isdisjoint(names):
                has_unit = PERIOD + kind.encode() not in headers
                limit, remaining, reset = (headers.get(name, b"") for name in names)
                found[kind] = RateLimit(
                    read_count(limit),
                    read_count(remaining),
                    read_reset(reset, now, has_unit=has_unit),
                )
                break
    return found


def select_rate_limits(
    known: RateLimitHeaders, headers: Mapping[bytes, bytes]
) -> list[tuple[bytes, bytes]]:
    """The headers of the family, as they are."""
    prefixes = known.prefixes
    return [(name, headers[name]) for name in headers if name.startswith(prefixes)]
