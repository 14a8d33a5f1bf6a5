"""Responses of token endpoints, as values or as errors."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from headway.credentials.oauth import read_token
from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from support.credential_fakes import NOW


class Response(NamedTuple):
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@pytest.mark.parametrize(
    ("fields", "expires_at"),
    [
        (b'"expires_in": 60', NOW + 60),
        (b'"expires_in": "60"', NOW + 60),
        (b'"expires_on": "1700000500"', 1_700_000_500.0),
        (b'"expires_in": 60, "expires_on": 1', NOW + 60),
        (b'"token_type": "Bearer"', NOW + 3600),
    ],
)
def test_the_expiry_is_read_in_each_of_its_forms(fields: bytes, expires_at: float) -> None:
    token = read_token(Response(200, b'{"access_token": "one", %b}' % fields), "X", "do this")

    assert token.access_token == "one"
    assert token.expires_at(NOW) == expires_at


@pytest.mark.parametrize(
    ("status", "body", "error", "reason"),
    [
        (400, b'{"error":"e","error_description":"Revoked."}', UpstreamAuth, r"Revoked\.\): do"),
        (401, b'{"error":"invalid_client"}', UpstreamAuth, r"\(invalid_client\): do this"),
        (403, b"<html>", UpstreamAuth, "status 403"),
        (200, b"{}", UpstreamAuth, "status 200"),
        (403, b'{"access_token": "one"}', UpstreamAuth, "status 403"),
        (500, b'{"error":"internal_failure"}', UpstreamError, "failed: internal_failure"),
        (503, b"<html>", UpstreamError, "status 503"),
        (429, b"{}", UpstreamError, "status 429"),
        (200, b"hello", UpstreamGarbled, "holds no token"),
    ],
)
def test_a_response_without_a_token_is_an_error_of_its_kind(
    status: int, body: bytes, error: type[UpstreamError], reason: str
) -> None:
    with pytest.raises(error, match=reason) as caught:
        read_token(Response(status, body), "X", "do this")
    assert type(caught.value) is error
