"""How long a provider asks to wait, from the headers of an error response.

Points in time are compared with the response's own ``Date``, so that no clock is needed and a
wrong one does no harm (RFC 9110, sections 6.6.1 and 10.2.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import inf

from headway.errors import UpstreamError, UpstreamRateLimited
from headway.providers.rate_limits import COMMON, RateLimitHeaders, read_rate_limits

LONGEST_S = 86400
ByName = Mapping[bytes, bytes]


def set_retry_after(
    error: UpstreamError, headers: ByName, limits: RateLimitHeaders = COMMON
) -> None:
    """``limits`` are the names of the headers that tell rate limits. They count where the provider
    limits the rate and says no more: until all used-up limits are reset."""
    if error.retry_after_s is None:
        error.retry_after_s = retry_after(headers)
    if error.retry_after_s is None and type(error) is UpstreamRateLimited:
        error.retry_after_s = until_reset(headers, limits)


def retry_after(headers: ByName) -> float | None:
    """Seconds, from ``retry-after-ms`` or ``retry-after``, which may be a date. None for anything
    outside of 0 to 86400 seconds."""
    milliseconds = _number(headers.get(b"retry-after-ms", b""))
    if milliseconds is not None and (found := _bounded(milliseconds / 1e3)) is not None:
        return found
    value = headers.get(b"retry-after", b"")
    seconds = _number(value)
    if seconds is None:
        at, now = _unix_time(value), _unix_time(headers.get(b"date", b""))
        seconds = None if at is None or now is None else at - now
    return None if seconds is None else _bounded(seconds)


def until_reset(headers: ByName, limits: RateLimitHeaders) -> float | None:
    """Seconds until the last of the used-up limits is reset. None where none is."""
    now = _unix_time(headers.get(b"date", b""))
    found = read_rate_limits(limits, headers, inf if now is None else now)
    waits = [limit.reset_s for limit in found.values() if limit.remaining == 0 and limit.reset_s]
    return _bounded(max(waits)) if waits else None


def _number(value: bytes) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _bounded(seconds: float) -> float | None:
    return seconds if 0 < seconds < LONGEST_S else None


def _unix_time(value: bytes) -> float | None:
    """Of an HTTP date, which is in UTC."""
    try:
        return parsedate_to_datetime(value.decode("latin-1")).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
