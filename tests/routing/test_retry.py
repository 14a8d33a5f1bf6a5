from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headway import errors
from headway.errors import HeadwayError, UpstreamAuth, UpstreamOverloaded, UpstreamQuota
from headway.routing.retry import (
    BASE_S,
    CAP_S,
    GIVE_UP,
    Decision,
    Situation,
    classify,
    decide_next,
)
from support.for_each import for_each

BUSY = UpstreamOverloaded("Busy.")

CLASSES: list[tuple[HeadwayError, str]] = [
    (errors.UpstreamError("x", status=500), "transient"),
    (errors.UpstreamError("x"), "transient"),
    (UpstreamOverloaded("x"), "transient"),
    (errors.UpstreamUnreachable("x"), "transient"),
    (errors.UpstreamDisconnected("x"), "transient"),
    (errors.UpstreamGarbled("x"), "transient"),
    (errors.UpstreamTruncated("x"), "transient"),
    (errors.UpstreamTimeout("x", code="first_token_timeout"), "transient"),
    (errors.UpstreamTimeout("x", status=408), "transient"),
    (errors.LimitExceeded("x", code="idle_timeout"), "transient"),
    (errors.LimitExceeded("x", code="deadline_exceeded"), "final"),
    (errors.UpstreamConflict("x"), "transient"),
    (errors.UpstreamRejected("x", status=409), "transient"),
    (errors.UpstreamRejected("x", status=425), "transient"),
    (errors.UpstreamRateLimited("x"), "rate_limited"),
    (UpstreamQuota("x"), "key"),
    (UpstreamQuota("x", status=402), "key"),
    (UpstreamAuth("x"), "key"),
    (errors.UpstreamForbidden("x"), "key"),
    (errors.UpstreamNotFound("x"), "unsuitable"),
    (errors.UpstreamRejected("x", status=405), "unsuitable"),
    (errors.UpstreamError("x", status=501), "unsuitable"),
    (errors.MissingProviderKey("x"), "unsuitable"),
    (errors.UnknownProvider("x"), "unsuitable"),
    (errors.UpstreamContextWindow("x"), "context_window"),
    (errors.UpstreamContentPolicy("x"), "content_policy"),
    (errors.UpstreamRejected("x"), "final"),
    (errors.UpstreamRejected("x", status=413), "final"),
    (errors.UpstreamRejected("x", status=422), "final"),
    (errors.UpstreamLoop("x"), "final"),
    (errors.InvalidField("x"), "final"),
    (errors.ClientGone("x"), "final"),
    (errors.ShuttingDown("x"), "final"),
    (errors.InternalError("x"), "final"),
]


@for_each("error, expected", CLASSES)
def test_every_error_is_of_one_class(error: HeadwayError, expected: str) -> None:
    assert classify(error) == expected


def test_the_provider_may_say_that_a_retry_could_help() -> None:
    error = errors.UpstreamRejected("x")
    error.retryable = True
    assert classify(error) == "transient"


def failed(**fields: Any) -> Situation:
    return Situation(**{"failures": 1, "attempts": 1, **fields})


def waiting(error: HeadwayError, seconds: float) -> HeadwayError:
    error.retry_after_s = seconds
    return error


LIMITED, REFUSED, UNKNOWN = errors.UpstreamRateLimited("x"), UpstreamAuth("x"), None
TOO_LONG, INDECENT = errors.UpstreamContextWindow("x"), errors.UpstreamContentPolicy("x")
WRONG, ABSENT = errors.UpstreamRejected("x"), errors.UpstreamNotFound("x")
SLOW = waiting(UpstreamOverloaded("x"), 3.0)
SHORT_LIMIT = waiting(errors.UpstreamRateLimited("x"), 3.0)
LONG_LIMIT = waiting(errors.UpstreamRateLimited("x"), CAP_S + 1)
ALL = {"has_next_key": True, "has_next_target": True, "retries": 1}

NEXT: list[tuple[HeadwayError, Situation, Decision]] = [
    # transient: the same target by its retries, then the next
    (BUSY, failed(), GIVE_UP),
    (BUSY, failed(has_next_target=True), Decision("next_target")),
    (BUSY, failed(**ALL), Decision("same", BASE_S / 2)),
    (BUSY, failed(**{**ALL, "failures": 2, "attempts": 2}), Decision("next_target")),
    (BUSY, failed(retries=9, failures=3), Decision("same", BASE_S * 2)),
    (BUSY, failed(retries=99, failures=90), Decision("same", CAP_S / 2)),
    (BUSY, failed(retries=1, may_retry=False), GIVE_UP),
    (BUSY, failed(**ALL, may_retry=False), Decision("next_target")),
    (BUSY, failed(has_next_key=True), GIVE_UP),
    # one that asks for time goes last
    (SLOW, failed(**ALL), Decision("next_target")),
    (SLOW, failed(retries=1), Decision("same", 3.0)),
    (waiting(UpstreamOverloaded("x"), 0.01), failed(retries=1), Decision("same", BASE_S / 2)),
    # limited: another key, another target, the same after the wait
    (LIMITED, failed(**ALL), Decision("next_key")),
    (SHORT_LIMIT, failed(has_next_target=True, retries=1), Decision("next_target")),
    (SHORT_LIMIT, failed(retries=1), Decision("same", 3.0)),
    (LONG_LIMIT, failed(retries=1), GIVE_UP),
    (LIMITED, failed(has_next_target=True, retries=1), Decision("same", BASE_S / 2)),
    (LIMITED, failed(has_next_target=True), Decision("next_target")),
    # the key: never again with the same
    (REFUSED, failed(**ALL), Decision("next_key")),
    (REFUSED, failed(has_next_target=True, retries=1), Decision("next_target")),
    (REFUSED, failed(retries=1), GIVE_UP),
    # unsuitable: the next target
    (ABSENT, failed(**ALL), Decision("next_target")),
    (ABSENT, failed(retries=1), GIVE_UP),
    # the request
    (WRONG, failed(**ALL, has_context_fallback=True, has_policy_fallback=True), GIVE_UP),
    (TOO_LONG, failed(**ALL, has_policy_fallback=True), GIVE_UP),
    (TOO_LONG, failed(**ALL, has_context_fallback=True), Decision("context_window")),
    (INDECENT, failed(**ALL, has_context_fallback=True), GIVE_UP),
    (INDECENT, failed(**ALL, has_policy_fallback=True), Decision("content_policy")),
    # the limits of the call
    (LIMITED, failed(**ALL, max_attempts=1), GIVE_UP),
    (BUSY, failed(**{**ALL, "attempts": 6, "failures": 1}), GIVE_UP),
    (BUSY, failed(**ALL, time_left_s=0.0), GIVE_UP),
    (BUSY, failed(**ALL, time_left_s=BASE_S / 2), Decision("next_target")),
    (BUSY, failed(retries=1, time_left_s=BASE_S / 2), GIVE_UP),
    (BUSY, failed(retries=1, time_left_s=BASE_S), Decision("same", BASE_S / 2)),
    (SHORT_LIMIT, failed(retries=1, time_left_s=2.9), GIVE_UP),
]


@for_each("error, situation, expected", NEXT)
def test_each_failure_has_one_step_that_follows(
    error: HeadwayError, situation: Situation, expected: Decision
) -> None:
    assert decide_next(error, situation, 0.5) == expected


def test_what_an_adapter_refuses_leads_to_the_next_target() -> None:
    refused = errors.InvalidField("no images")
    at = failed(**ALL)
    assert decide_next(refused, at, 0.5) == GIVE_UP
    assert decide_next(refused, at, 0.5, "unsuitable") == Decision("next_target")


SITUATIONS = st.builds(
    Situation,
    failures=st.integers(1, 50),
    attempts=st.integers(1, 50),
    retries=st.integers(0, 50),
    max_attempts=st.integers(1, 50),
    has_next_key=st.booleans(),
    has_next_target=st.booleans(),
    has_context_fallback=st.booleans(),
    has_policy_fallback=st.booleans(),
    may_retry=st.booleans(),
    time_left_s=st.one_of(st.none(), st.floats(-10, 100)),
)
ERRORS = st.builds(
    lambda made, wait: waiting(type(made)("x", status=made.status), wait),
    st.sampled_from([error for error, _ in CLASSES]),
    st.one_of(st.none(), st.floats(0, 1e5)),
)


@given(ERRORS, SITUATIONS, st.floats(0, 1, exclude_max=True))
def test_no_step_breaks_a_limit(error: HeadwayError, at: Situation, jitter: float) -> None:
    decision = decide_next(error, at, jitter)
    if decision.step == "give_up":
        return
    assert at.attempts < at.max_attempts
    assert at.time_left_s is None or decision.delay_s < at.time_left_s
    assert 0.0 <= decision.delay_s <= CAP_S
    if decision.step == "same":
        assert at.may_retry
        assert at.failures <= at.retries
        assert decision.delay_s >= (error.retry_after_s or 0.0)
        assert classify(error) in ("transient", "rate_limited")
    assert at.has_next_key or decision.step != "next_key"
    assert at.has_next_target or decision.step != "next_target"
