from __future__ import annotations

import pytest

from headway.errors import InvalidField
from headway.policy.keys import subprotocol_keys
from headway.policy.native_headers import merge_pairs, request_pairs, response_pairs, without_keys

DROPPED = """
accept-encoding authorization api-key cdn-loop connection content-length cookie expect forwarded
host keep-alive origin proxy-authorization proxy-connection te trailer transfer-encoding upgrade
x-amz-date x-amz-security-token x-api-key x-forwarded-for x-goog-api-key x-headway-provider-key
x-real-ip sec-websocket-extensions
"""
DROPPED_OF_RESPONSES = """
alt-svc access-control-allow-origin content-encoding content-length date set-cookie
strict-transport-security transfer-encoding x-headway-request-id
"""


def test_the_gateways_own_headers_stay_here_and_all_others_go_on_in_order() -> None:
    dropped = DROPPED.split()
    kept = [(b"b", b"2"), (b"a", b"1"), (b"a", "\u00e9".encode()), (b"openai-beta", b"x")]
    others = [(name.encode(), b"v") for name in dropped]
    headers = [*kept[:1], *others[:9], *kept[1:3], *others[9:], *kept[3:]]
    expected = tuple((name.decode(), value.decode()) for name, value in kept)
    assert request_pairs(headers) == expected


def test_headers_that_connection_names_belong_to_the_connection() -> None:
    headers = [(b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"x-end", b"2")]
    assert request_pairs(headers) == (("x-end", "2"),)
    assert response_pairs(headers) == [(b"x-end", b"2")]


def test_a_value_that_is_no_text_is_refused_by_the_name_of_its_header() -> None:
    with pytest.raises(InvalidField, match="x-odd is not UTF-8") as raised:
        request_pairs([(b"x-odd", b"\xff")])
    assert raised.value.status == 400


def test_of_a_response_what_is_about_the_providers_host_stays_away() -> None:
    names = DROPPED_OF_RESPONSES.split()
    kept = [(b"etag", b"1"), (b"x-request-id", b"2"), (b"retry-after", b"3")]
    assert response_pairs([*((name.encode(), b"v") for name in names), *kept]) == kept


def test_keys_leave_the_query_and_the_rest_stays_byte_for_byte() -> None:
    cases = {
        "": "",
        "key=secret": "",
        "a=%20b&key=secret&c": "a=%20b&c",
        "k%65y=secret&key&keys=1&a=key": "keys=1&a=key",
    }
    for query, expected in cases.items():
        assert without_keys(query) == expected, query


def test_keys_leave_the_subprotocols_of_a_websocket() -> None:
    offered = b"realtime, openai-insecure-api-key.hw-1,  beta"
    headers = [(b"sec-websocket-protocol", offered), (b"sec-websocket-protocol", b"more")]
    assert request_pairs(headers) == (("sec-websocket-protocol", "realtime, beta, more"),)
    assert subprotocol_keys(headers) == [(b"authorization", b"Bearer hw-1")]
    only = [(b"sec-websocket-protocol", b"openai-insecure-api-key.hw-1")]
    assert request_pairs(only) == ()


def test_the_gateways_headers_replace_the_clients_and_defaults_fill_gaps() -> None:
    client = (("a", "1"), ("b", "2"), ("a", "3"))
    merged = merge_pairs(client, [("A", "own")], (("b", "no"), ("a", "no"), ("c", "default")))
    assert merged == (("b", "2"), ("c", "default"), ("A", "own"))
