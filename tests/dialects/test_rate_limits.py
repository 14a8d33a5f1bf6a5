from __future__ import annotations

from headway.dialects.anthropic.rate_limits import write_rate_limits as write_anthropic
from headway.dialects.rate_limits import no_rate_limits, write_rate_limits
from headway.types import RateLimit

NOW = 1_700_000_000.0
LIMITS = {
    "requests": RateLimit(5000, 4999, 360.0),
    "tokens": RateLimit(remaining=0),
    "input-tokens": RateLimit(7, 6, 0.5),
}


def test_they_are_written_in_openais_names() -> None:
    assert dict(write_rate_limits(LIMITS, NOW)) == {
        b"x-ratelimit-limit-requests": b"5000",
        b"x-ratelimit-remaining-requests": b"4999",
        b"x-ratelimit-reset-requests": b"6m0s",
        b"x-ratelimit-remaining-tokens": b"0",
    }
    assert write_rate_limits({}, NOW) == []


def test_they_are_written_in_anthropics_names() -> None:
    assert dict(write_anthropic(LIMITS, NOW)) == {
        b"anthropic-ratelimit-requests-limit": b"5000",
        b"anthropic-ratelimit-requests-remaining": b"4999",
        b"anthropic-ratelimit-requests-reset": b"2023-11-14T22:19:20Z",
        b"anthropic-ratelimit-tokens-remaining": b"0",
        b"anthropic-ratelimit-input-tokens-limit": b"7",
        b"anthropic-ratelimit-input-tokens-remaining": b"6",
        b"anthropic-ratelimit-input-tokens-reset": b"2023-11-14T22:13:21Z",
    }


def test_some_clients_know_none() -> None:
    assert no_rate_limits(LIMITS, NOW) == ()
