from __future__ import annotations

import pytest

from headway.server.http.cors import HEADER_NAMES_LIMIT, allow, is_preflight, preflight_headers

PAGE = "https://app.example"
ANY = (b"access-control-allow-origin", b"*")
EXPOSED = (b"access-control-expose-headers", b"*")

# configured origins, the request's, what is answered
ORIGINS: list[tuple[tuple[str, ...], bytes | None, list[tuple[bytes, bytes]]]] = [
    ((), PAGE.encode(), []),
    ((PAGE,), None, []),
    ((PAGE,), b"https://evil.example", []),
    ((PAGE,), b"https://app.example.evil.example", []),
    ((PAGE,), b"null", []),
    ((PAGE,), b"\xff", []),
    (
        ("https://other.example", PAGE),
        PAGE.encode(),
        [
            (b"access-control-allow-origin", PAGE.encode()),
            (b"vary", b"origin"),
            EXPOSED,
            (b"timing-allow-origin", PAGE.encode()),
        ],
    ),
    (("*",), b"https://evil.example", [ANY, EXPOSED, (b"timing-allow-origin", b"*")]),
]


@pytest.mark.parametrize(("origins", "origin", "answered"), ORIGINS)
def test_a_page_of_a_configured_origin_may_read_the_response(
    origins: tuple[str, ...], origin: bytes | None, answered: list[tuple[bytes, bytes]]
) -> None:
    headers = [(b"host", b"gateway.example")]
    if origin is not None:
        headers.append((b"origin", origin))
    assert allow(origins, headers) == answered


ASKS = (b"access-control-request-method", b"POST")


@pytest.mark.parametrize(
    ("method", "headers", "found"),
    [("OPTIONS", [ASKS], True), ("OPTIONS", [], False), ("POST", [ASKS], False)],
)
def test_a_preflight_is_an_options_request_that_names_a_method(
    method: str, headers: list[tuple[bytes, bytes]], found: bool
) -> None:
    assert is_preflight(method, headers) is found


def allowed_headers(asked: bytes | None) -> bytes | None:
    headers = [] if asked is None else [(b"access-control-request-headers", asked)]
    return dict(preflight_headers(headers)).get(b"access-control-allow-headers")


@pytest.mark.parametrize(
    "asked", [b"x-stainless-lang, x-stainless-os", b"traceparent", b"content-type,\tx-api-key"]
)
def test_a_page_may_send_every_header_that_it_asks_for(asked: bytes) -> None:
    assert allowed_headers(asked) == asked


@pytest.mark.parametrize(
    "asked", [None, b"", b"a b", b"a\r\nset-cookie: b", b"\xff", b"a,,b", b"x" * 5000]
)
def test_what_is_no_list_of_header_names_is_not_repeated(asked: bytes | None) -> None:
    assert HEADER_NAMES_LIMIT < 5000
    assert allowed_headers(asked) is None
