from __future__ import annotations

import hashlib

import pytest

from headway.errors import Unauthorized
from headway.policy import keys as keys_module
from headway.policy.keys import ANONYMOUS, KeyRing, authorize, identify
from support.for_each import for_each

RING = KeyRing.from_keys(["hw-first", "hw-second", "hw-drei-ß"])


def key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@for_each(
    ("headers", "key"),
    [
        ([(b"authorization", b"Bearer hw-first")], "hw-first"),
        ([(b"authorization", b"bearer hw-second")], "hw-second"),
        ([(b"authorization", b"BEARER  hw-second ")], "hw-second"),
        ([(b"x-api-key", b"hw-first")], "hw-first"),
        ([(b"api-key", b"hw-first")], "hw-first"),
        ([(b"x-goog-api-key", b"hw-first")], "hw-first"),
        ([(b"x-api-key", "hw-drei-ß".encode())], "hw-drei-ß"),
        ([(b"authorization", b"Bearer sk-other"), (b"x-api-key", b"hw-second")], "hw-second"),
        ([(b"authorization", b"Basic aHctZmlyc3Q="), (b"x-api-key", b"hw-first")], "hw-first"),
        ([(b"host", b"a"), (b"accept", b"*/*"), (b"x-api-key", b"hw-first")], "hw-first"),
    ],
)
def test_a_valid_key_is_identified_by_the_start_of_its_digest(headers, key) -> None:
    assert authorize(headers, RING) == key_id(key)


@for_each(
    ("headers", "code"),
    [
        ([], "missing_api_key"),
        ([(b"cookie", b"hw-first")], "missing_api_key"),
        ([(b"x-api-key", b"")], "missing_api_key"),
        ([(b"authorization", b"Bearer ")], "missing_api_key"),
        ([(b"authorization", b"Bearerhw-first")], "missing_api_key"),
        ([(b"authorization", b"Basic hw-first")], "missing_api_key"),
        ([(b"authorization", b"hw-first")], "missing_api_key"),
        ([(b"authorization", b"Bearer hw-firs")], "invalid_api_key"),
        ([(b"authorization", b"Bearer hw-first2")], "invalid_api_key"),
        ([(b"authorization", b"Bearer HW-FIRST")], "invalid_api_key"),
        ([(b"x-api-key", b"\xff\xfe")], "invalid_api_key"),
        ([(b"x-api-key", b"hw-first, hw-second")], "invalid_api_key"),
        ([(b"x-api-key", hashlib.sha256(b"hw-first").digest())], "invalid_api_key"),
    ],
)
def test_any_other_key_is_refused_without_quoting_it(headers, code) -> None:
    with pytest.raises(Unauthorized) as refused:
        authorize(headers, RING)
    assert (refused.value.status, refused.value.code) == (401, code)
    assert "hw-first" not in refused.value.message
    if code == "missing_api_key":
        assert "x-api-key" in refused.value.message


def test_without_keys_everyone_is_anonymous() -> None:
    assert authorize([], KeyRing()) == ANONYMOUS
    assert authorize([(b"x-api-key", b"whatever")], KeyRing.from_keys([])) == ANONYMOUS
    assert identify([b"any digest"], KeyRing()) == ANONYMOUS


@pytest.mark.parametrize("key", [b"hw-first", b"hw-second", b"wrong"])
def test_every_key_of_the_ring_is_compared_in_constant_time_on_every_call(
    key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(keys_module, "compare_digest", spy)
    for _ in range(2):
        compared.clear()
        try:
            authorize([(b"x-api-key", key)], RING)
        except Unauthorized:
            assert key == b"wrong"
        assert compared == [digest for digest, _ in RING.digests]


def test_the_key_ring_never_contains_a_raw_key() -> None:
    assert "hw-first" not in repr(RING)


@pytest.mark.parametrize("query", ["key=hw-first", "alt=sse&key=hw-first", "key=x&key=hw%2Dfirst"])
def test_a_key_may_be_in_the_query(query: str) -> None:
    assert authorize([], RING, query) == key_id("hw-first")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("key=hw-other", "invalid_api_key"),
        ("monkey=hw-first", "missing_api_key"),
        ("key=", "missing_api_key"),
    ],
)
def test_a_query_without_a_right_key_is_refused(query: str, code: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        authorize([], RING, query)
    assert caught.value.code == code


def test_a_query_loses_the_gateways_keys_and_nothing_else() -> None:
    pairs = [("key", "hw-first"), ("key", key_id("hw-first")), ("model", "hw-first")]
    assert keys_module.without_keys(pairs, RING) == pairs[1:]
    assert keys_module.without_keys([("key", "\ud800")], RING) == [("key", "\ud800")]


def test_a_query_about_something_else_has_no_key() -> None:
    assert keys_module.find_digests([], "alt=sse") == ()
