"""Decide whether a failed call is tried again, and when. Pure: randomness is an argument."""

from __future__ import annotations

from msgspec import Struct

from headway.errors import HeadwayError

BASE_S = 0.25
CAP_S = 20.0


class Try(Struct, frozen=True):
    """Start another attempt after ``delay`` seconds."""

    delay: float


class GiveUp(Struct, frozen=True):
    """Return the error to the client."""


def decide(error: HeadwayError, attempts: int, retries: int, jitter: float) -> Try | GiveUp:
    """After ``attempts`` failures, at most ``1 + retries``; ``jitter`` is uniform in [0, 1).

    Exponential backoff with full jitter, never earlier than the provider asked for (Retry-After).
    If the provider asks for more than ``CAP_S``, the client decides: the call fails at once.
    """
    if not error.retryable or attempts > retries:
        return GiveUp()
    retry_after_s = error.retry_after_s
    if retry_after_s is not None:
        return Try(retry_after_s) if retry_after_s <= CAP_S else GiveUp()
    return Try(min(CAP_S, BASE_S * 2 ** (attempts - 1)) * jitter)
