from __future__ import annotations

import pytest

from headway.errors import InvalidField
from headway.policy.routing_headers import (
    allows_fallbacks,
    find_read_timeout,
    find_retries,
    find_timeout,
)
from support.for_each import for_each


def test_a_request_may_want_no_fallback() -> None:
    assert allows_fallbacks([])
    assert not allows_fallbacks([(b"x-headway-no-fallback", b"1")])
    assert not allows_fallbacks([(b"x-headway-no-fallback", b"true")])
    for value in (b"0", b"false", b""):
        assert allows_fallbacks([(b"x-headway-no-fallback", value)])


TIMES = [(b"5", 5.0), (b"0.25", 0.25), (b" 30 ", 30.0), (b"86400", 86400.0), (b"5.", 5.0)]
NO_TIMES = [b"0", b"-1", b"5s", b"", b"86401", b"1e3", b"inf", b"nan", b"9" * 30, b"\xff"]


@for_each(("value", "seconds"), TIMES)
def test_a_request_may_have_so_many_seconds(value: bytes, seconds: float) -> None:
    assert find_timeout([(b"x-headway-timeout", value)]) == seconds
    assert find_timeout([(b"x-litellm-timeout", value)]) == seconds
    assert find_read_timeout([(b"x-stainless-read-timeout", value)]) == seconds
    both = [(b"x-litellm-timeout", b"77"), (b"x-headway-timeout", value)]
    assert find_timeout(both) == seconds


@for_each("value", NO_TIMES)
def test_a_time_that_is_none_is_refused_where_a_user_gave_it(value: bytes) -> None:
    with pytest.raises(InvalidField) as error:
        find_timeout([(b"x-litellm-timeout", value)])
    assert error.value.param == "x-litellm-timeout"
    assert "a number of seconds, more than 0 and at most 86400" in error.value.message
    assert find_read_timeout([(b"x-stainless-read-timeout", value)]) is None


def test_without_the_headers_nothing_is_asked_for() -> None:
    headers = [(b"accept", b"*/*")]
    assert find_timeout(headers) is None
    assert find_read_timeout(headers) is None
    assert find_retries(headers) is None


def test_a_request_may_ask_for_retries() -> None:
    assert find_retries([(b"x-headway-retries", b"0")]) == 0
    assert find_retries([(b"x-litellm-num-retries", b"10")]) == 10
    for value in (b"11", b"-1", b"two", b"", b"1.5"):
        with pytest.raises(InvalidField) as error:
            find_retries([(b"x-headway-retries", value)])
        assert error.value.param == "x-headway-retries"
        assert error.value.message == "`x-headway-retries` must be a whole number from 0 to 10."
