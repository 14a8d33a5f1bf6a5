from __future__ import annotations

from headway.providers.anthropic.rate_limits import HEADERS
from headway.providers.rate_limits import read_rate_limits, select_rate_limits
from headway.types import RateLimit

TOLD = {
    b"anthropic-ratelimit-requests-limit": b"4000",
    b"anthropic-ratelimit-requests-remaining": b"3999",
    b"anthropic-ratelimit-requests-reset": b"2023-11-14T22:13:30Z",
    b"anthropic-ratelimit-input-tokens-remaining": b"1000",
    b"anthropic-priority-input-tokens-limit": b"5",
}


def test_limits_are_read_with_their_times() -> None:
    assert read_rate_limits(HEADERS, TOLD, 1_700_000_000.0) == {
        "requests": RateLimit(4000, 3999, 10.0),
        "input-tokens": RateLimit(None, 1000),
    }


def test_headers_of_the_family_are_selected_as_they_are() -> None:
    assert dict(select_rate_limits(HEADERS, {b"date": b"x", **TOLD})) == TOLD
