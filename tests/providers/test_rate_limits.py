from __future__ import annotations

from headway.providers.rate_limits import COMMON, read_rate_limits, select_rate_limits
from headway.types import RateLimit

NOW = 1_700_000_000.0
P = b"x-ratelimit-"


def read(headers: dict[bytes, bytes]) -> dict[str, RateLimit]:
    return dict(read_rate_limits(COMMON, {b"date": b"x", **headers}, NOW))


def test_limits_are_read_in_the_names_of_openai_and_its_copies() -> None:
    for headers, limits in (
        (
            {
                P + b"limit-requests": b"5000",
                P + b"remaining-requests": b"4999",
                P + b"reset-requests": b"12ms",
                P + b"limit-tokens": b"160000",
                P + b"remaining-tokens": b"159970",
                P + b"reset-tokens": b"6m0s",
            },
            {
                "requests": RateLimit(5000, 4999, 0.012),
                "tokens": RateLimit(160000, 159970, 360.0),
            },
        ),
        (
            {P + b"limit-req-minute": b"360", P + b"remaining-req-minute": b"90"},
            {"requests": RateLimit(360, 90)},
        ),
        (
            {
                P + b"remaining-tokens-minute": b"1",
                P + b"remaining-requests-minute": b"2",
                P + b"remaining-requests-day": b"3",
            },
            {"requests": RateLimit(None, 2), "tokens": RateLimit(None, 1)},
        ),
        (
            {P + b"limit": b"20", P + b"remaining": b"0", P + b"reset": b"1700000060000"},
            {"requests": RateLimit(20, 0, 60.0)},
        ),
        (
            {b"ratelimitbysize-limit": b"500000", b"ratelimitbysize-reset": b"3"},
            {"tokens": RateLimit(500000, None, 3.0)},
        ),
        ({}, {}),
    ):
        assert read(headers) == limits, headers


def test_a_reset_beside_a_renewal_period_has_no_known_unit() -> None:
    headers = {P + b"remaining-requests": b"119", P + b"reset-requests": b"500"}
    assert read(headers)["requests"].reset_s == 500
    headers[P + b"renewalperiod-requests"] = b"60"
    assert read(headers)["requests"] == RateLimit(None, 119)


def test_headers_of_the_family_are_selected_as_they_are() -> None:
    kept = [(P + b"limit-tokens-usage-based", b"9"), (b"ratelimitbysize-query-cost", b"7")]
    assert select_rate_limits(COMMON, dict([(b"date", b"x"), *kept])) == kept
