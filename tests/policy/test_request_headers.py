from __future__ import annotations

import pytest

from headway.policy.keys import find_digests
from headway.policy.request_headers import (
    asks_for_metrics,
    find_request_id,
    read_facts,
    select_own_headers,
)
from support.for_each import for_each

HOST = (b"host", b"a")


@pytest.mark.parametrize(
    "value",
    [
        b"a",
        b"72f34d3b-f254-4950-9d6f-9f66e082fd2f",
        b"req_011CSHoEeqs5C35K2UUqR7Fy",
        b"Root=1-67891233-abcdef012345678912345678",
        b"a.b:c/d+e=@Z",
        b"x" * 128,
    ],
)
def test_a_clients_id_is_kept(value: bytes) -> None:
    assert find_request_id([HOST, (b"x-request-id", value)]) == value.decode()


@for_each(
    "value",
    [
        b"",
        b" ",
        b"a b",
        b"a\tb",
        b'a"b',
        b"a,b",
        b"a;b",
        b"a\nb",
        b"a\n",
        b"a\x00",
        b"\x1b[31m",
        b"<script>",
        b"%0d%0a",
        "\u00e9".encode(),
        b"\xff",
        b"x" * 129,
    ],
)
def test_any_other_text_is_no_id(value: bytes) -> None:
    assert find_request_id([HOST, (b"x-request-id", value)]) is None


def test_the_first_valid_one_counts() -> None:
    headers = [(b"x-request-id", b"no id"), (b"x-request-id", b"a"), (b"x-request-id", b"b")]
    assert find_request_id(headers) == "a"
    assert find_request_id([HOST, (b"request-id", b"a")]) is None


def test_most_requests_have_no_header_for_the_gateway() -> None:
    for names, selected in (
        ([], []),
        ([b"host", b"authorization", b"content-type"], []),
        ([b"host", b"x-request-id"], [b"x-request-id"]),
        ([b"cdn-loop", b"host", b"session-id"], [b"cdn-loop", b"session-id"]),
    ):
        found = select_own_headers([(name, b"x") for name in names])
        assert [name for name, _ in found] == selected


def test_metrics_are_asked_for_by_any_value_but_no() -> None:
    for value, asks in (
        (b"1", True),
        (b"true", True),
        (b"", False),
        (b" 0 ", False),
        (b"false", False),
    ):
        assert asks_for_metrics([HOST, (b"x-headway-metrics", value)]) is asks, value
    assert not asks_for_metrics([HOST])


def test_the_facts_of_a_head_are_its_own_headers_and_its_keys() -> None:
    headers = [(b"accept", b"*/*"), (b"x-request-id", b"a"), (b"x-api-key", b"hw-first")]
    facts = read_facts(headers, "")
    assert list(facts.own_headers) == [(b"x-request-id", b"a")]
    assert facts.key_digests == find_digests(headers)
