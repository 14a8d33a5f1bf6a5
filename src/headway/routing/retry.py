"""What follows a failed attempt. Pure: state and randomness are arguments.

Failures are of these classes (``classify``):

| class | errors | what follows |
|---|---|---|
| ``transient`` | 408, 409, 5xx, connect, reset, timeouts, garbled or truncated | same, then next |
| ``rate_limited`` | 429 | next key, next target, or the same after a wait |
| ``key`` | 401, 402, 403, quota | next key, next target |
| ``unsuitable`` | unknown model, an ability that the target lacks | next target |
| ``context_window`` | the prompt is too long for the model | the route's own fallback |
| ``content_policy`` | the provider refuses the content | the route's own fallback |
| ``final`` | everything else, above all 400, 413, 422 | nothing |
"""

from __future__ import annotations

from math import exp2
from typing import Literal

from msgspec import Struct

from headway import errors
from headway.errors import HeadwayError

BASE_S = 0.25
CAP_S = 20.0
FailureClass = Literal[
    "transient", "rate_limited", "key", "unsuitable", "context_window", "content_policy", "final"
]
Step = Literal["same", "next_key", "next_target", "context_window", "content_policy", "give_up"]

BY_CLASS: dict[type[HeadwayError], FailureClass] = {
    errors.MissingProviderKey: "unsuitable",
    errors.UnknownProvider: "unsuitable",
    errors.UpstreamNotFound: "unsuitable",
    errors.UpstreamAuth: "key",
    errors.UpstreamQuota: "key",
    errors.UpstreamRateLimited: "rate_limited",
    errors.UpstreamContextWindow: "context_window",
    errors.UpstreamContentPolicy: "content_policy",
    errors.UpstreamUnsupported: "unsuitable",
    errors.UpstreamRejected: "final",
    errors.UpstreamLoop: "final",
    errors.UpstreamError: "transient",
}
"""The most special class of an error counts."""
BY_STATUS: dict[int, FailureClass] = {
    405: "unsuitable",
    408: "transient",
    409: "transient",
    425: "transient",
    501: "unsuitable",
}
"""More precise than the class."""


class Situation(Struct, frozen=True, kw_only=True, gc=False):
    """Where a call stands after a failure."""

    failures: int
    """Of this call on this target, with the last one."""
    attempts: int
    """Of this call, with the last one."""
    retries: int = 0
    """Further attempts on the same target."""
    max_attempts: int = 6
    has_next_key: bool = False
    """Another key of the target could be used."""
    has_next_target: bool = False
    """Another target could be used, and the call may move to it."""
    has_context_fallback: bool = False
    has_policy_fallback: bool = False
    may_retry: bool = True
    """The budget of the target allows another attempt on it."""
    time_left_s: float | None = None
    """Until the caller's deadline; None: there is none."""


class Decision(Struct, frozen=True, gc=False):
    step: Step
    delay_s: float = 0.0
    """Before the attempt on the same target."""


GIVE_UP = Decision("give_up")


DEADLINE = "deadline_exceeded"
"""The code of an attempt that the caller's own deadline ended: nothing can follow it."""


def classify(error: HeadwayError) -> FailureClass:
    if error.code == DEADLINE:
        return "final"
    found = (BY_CLASS[cls] for cls in type(error).__mro__ if cls in BY_CLASS)
    by_class: FailureClass = next(found, "final")
    if by_class in ("final", "transient"):
        by_class = BY_STATUS.get(error.status, by_class)
    return "transient" if by_class == "final" and error.retryable else by_class


def decide_next(
    error: HeadwayError, at: Situation, jitter: float, failure: FailureClass | None = None
) -> Decision:
    """``jitter`` is uniform in [0, 1). ``failure`` is given where the class of the error does not
    tell it: what an adapter refuses is ``unsuitable`` for its target.

    A target that asks for time gets no attempt before (``error.retry_after_s``): another key or
    target goes first. Without such a wish the delay before the same target is an exponential
    backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015). A delay that
    would end after the deadline, or last longer than ``CAP_S``, is not waited for."""
    failure = failure or classify(error)
    if at.attempts >= at.max_attempts:
        return GIVE_UP
    if at.time_left_s is not None and at.time_left_s <= 0.0:
        return GIVE_UP
    if failure == "context_window":
        return Decision("context_window") if at.has_context_fallback else GIVE_UP
    if failure == "content_policy":
        return Decision("content_policy") if at.has_policy_fallback else GIVE_UP
    if failure == "final":
        return GIVE_UP
    if failure in ("key", "rate_limited") and at.has_next_key:
        return Decision("next_key")
    if failure in ("transient", "rate_limited"):
        delay_s = _delay(error, at, jitter)
        if delay_s is not None and not (error.retry_after_s and at.has_next_target):
            return Decision("same", delay_s)
    return Decision("next_target") if at.has_next_target else GIVE_UP


def _delay(error: HeadwayError, at: Situation, jitter: float) -> float | None:
    """Before another attempt on the same target; None: there is none."""
    if not error.retryable or at.failures > at.retries or not at.may_retry:
        return None
    backoff_s = min(CAP_S, BASE_S * exp2(min(at.failures - 1, 16))) * jitter
    delay_s = max(error.retry_after_s or 0.0, backoff_s)
    if delay_s > CAP_S or (at.time_left_s is not None and delay_s >= at.time_left_s):
        return None
    return delay_s
