from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway import errors
from headway.errors import HeadwayError, UpstreamAuth, UpstreamOverloaded, UpstreamQuota
from headway.routing.retry import BASE_S, CAP_S, GiveUp, Try, decide
from support.for_each import for_each

ALMOST = 0.999


def asked(seconds: float) -> HeadwayError:
    return UpstreamOverloaded("Busy.", retry_after_s=seconds)


BUSY = UpstreamOverloaded("Busy.")

# error, failed attempts, retries, jitter, decision
DECISIONS: list[tuple[HeadwayError, int, int, float, Try | GiveUp]] = [
    (BUSY, 1, 0, 0.5, GiveUp()),
    (BUSY, 1, 1, 0.5, Try(BASE_S / 2)),
    (BUSY, 2, 1, 0.5, GiveUp()),
    (BUSY, 1, 10, 0.0, Try(0.0)),
    (BUSY, 1, 10, ALMOST, Try(BASE_S * ALMOST)),
    (BUSY, 2, 10, ALMOST, Try(2 * BASE_S * ALMOST)),
    (BUSY, 3, 10, ALMOST, Try(4 * BASE_S * ALMOST)),
    (BUSY, 7, 10, ALMOST, Try(64 * BASE_S * ALMOST)),
    (BUSY, 8, 10, ALMOST, Try(CAP_S * ALMOST)),
    (BUSY, 10, 10, ALMOST, Try(CAP_S * ALMOST)),
    (BUSY, 11, 10, ALMOST, GiveUp()),
    (asked(7.0), 1, 1, 0.0, Try(7.0)),
    (asked(7.0), 1, 1, ALMOST, Try(7.0)),
    (asked(7.0), 1, 0, 0.5, GiveUp()),
    (asked(CAP_S), 1, 1, 0.5, Try(CAP_S)),
    (asked(CAP_S + 0.1), 1, 1, 0.5, GiveUp()),
    (UpstreamAuth("No."), 1, 5, 0.5, GiveUp()),
    (UpstreamQuota("Pay.", retry_after_s=1.0), 1, 5, 0.5, GiveUp()),
]


@for_each(("error", "attempts", "retries", "jitter", "decision"), DECISIONS)
def test_the_decision_follows_from_error_count_and_jitter(
    error: HeadwayError, attempts: int, retries: int, jitter: float, decision: Try | GiveUp
) -> None:
    assert decide(error, attempts, retries, jitter) == decision


RETRIED = {
    "UpstreamError",
    "UpstreamRateLimited",
    "UpstreamOverloaded",
    "UpstreamUnreachable",
    "UpstreamDisconnected",
    "UpstreamGarbled",
    "UpstreamTruncated",
    "UpstreamTimeout",
}


@for_each(
    "kind",
    [each for each in vars(errors).values() if isinstance(each, type)],
    ids=lambda kind: kind.__name__,
)
def test_only_retryable_errors_are_retried(kind: type[HeadwayError]) -> None:
    again = isinstance(decide(kind("x"), 1, 1, 0.5), Try)
    assert again is (kind.__name__ in RETRIED)


@given(st.integers(1, 40), st.integers(0, 10), st.floats(0, 1, exclude_max=True))
def test_no_delay_exceeds_the_cap_and_no_attempt_the_requested_number(
    attempts: int, retries: int, jitter: float
) -> None:
    decision = decide(BUSY, attempts, retries, jitter)
    assert isinstance(decision, Try) is (attempts <= retries)
    if isinstance(decision, Try):
        assert 0 <= decision.delay <= CAP_S
