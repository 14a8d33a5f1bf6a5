from __future__ import annotations

import pytest

from headway.server.http.cors import allow, is_preflight

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
        [(b"access-control-allow-origin", PAGE.encode()), (b"vary", b"origin"), EXPOSED],
    ),
    (("*",), b"https://evil.example", [ANY, EXPOSED]),
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
