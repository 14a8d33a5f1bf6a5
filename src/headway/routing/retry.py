"""Whether to try again, and when. Pure: time and randomness are arguments."""

from __future__ import annotations

from msgspec import Struct

from headway.errors import HeadwayError

BASE_S = 0.25
CAP_S = 20.0


class Try(Struct, frozen=True):
    """Once more, after ``delay`` seconds."""

    delay: float


class GiveUp(Struct, frozen=True):
    """The error is the answer."""


def decide(error: HeadwayError, attempts: int, retries: int, jitter: float) -> Try | GiveUp:
    """After ``attempts`` failed ones of ``1 + retries``; ``jitter`` is uniform in [0, 1).

    Exponential backoff with full jitter, never sooner than the provider asked. A wait longer than
    the cap is the caller's to decide on, so that is given up at once.
    """
    if not error.retryable or attempts > retries:
        return GiveUp()
    asked = error.retry_after_s
    if asked is not None:
        return Try(asked) if asked <= CAP_S else GiveUp()
    return Try(min(CAP_S, BASE_S * 2 ** (attempts - 1)) * jitter)
