"""Values of rate-limit headers: numbers, durations and points in time."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|\u00b5s|ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|\u00b5s|ms|s|m|h|d)")
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400,
}  # fmt: skip
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNIX_S, _UNIX_MS = 1e9, 1e11
"""A number from here on is a point in time, in seconds or milliseconds since 1970."""


def read_count(value: bytes) -> int | None:
    """None for anything but digits."""
    text = value.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None


def read_reset(value: bytes, now: float, *, has_unit: bool = True) -> float | None:
    """Seconds from ``now`` (unix seconds) until a limit is reset, from ``6m0s`` or ``26ms`` (the
    durations of Go), a number of seconds, a unix time in seconds or milliseconds, or a time of
    RFC 3339. ``has_unit`` is False where a bare number may be seconds or milliseconds: then it is
    unknown. None for any other value."""
    text = value.strip().decode("latin-1")
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number >= _UNIX_S:
            return max(0.0, (number / 1e3 if number >= _UNIX_MS else number) - now)
        return number if has_unit else None
    if _DURATION.fullmatch(text):
        return sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else max(0.0, time.timestamp() - now)


def format_duration(seconds: float) -> str:
    """As OpenAI writes it: ``26ms``, ``7.335s``, ``6m0s``, ``1h27m50.4s``."""
    milliseconds = math.ceil(round(seconds * 1e3, 6))
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{text}{rest / 1e3:g}s"


def format_time(unix_s: float) -> str:
    """RFC 3339, in whole seconds, rounded up."""
    return datetime.fromtimestamp(math.ceil(unix_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
