"""Assertions that a client certificate signs."""

from __future__ import annotations

import json
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from headway.credentials.entra.client_certificate import sign_assertion
from headway.errors import UpstreamAuth
from support.credential_fakes import NOW, unpacked
from support.signing_keys import CERTIFICATE, CERTIFICATE_PEM, KEY, key_pem

AUDIENCE = "https://login.example.com/tenant/oauth2/v2.0/token"


@pytest.mark.parametrize("password", [None, "open"])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_key_of_the_certificate_signs_the_claims(password: str | None, is_first: bool) -> None:
    key = key_pem(password=None if password is None else password.encode())
    pem = key + CERTIFICATE_PEM if is_first else CERTIFICATE_PEM + key

    header, claims, signature = sign_assertion(pem, password, "cid", AUDIENCE, int(NOW)).split(".")

    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    KEY.public_key().verify(
        unpacked(signature), f"{header}.{claims}".encode(), pss, hashes.SHA256()
    )  # raises if another key signed
    shown = json.loads(unpacked(header))
    assert (shown["alg"], shown["typ"]) == ("PS256", "JWT")
    assert unpacked(shown["x5t#S256"]) == CERTIFICATE.fingerprint(hashes.SHA256())
    claimed = json.loads(unpacked(claims))
    assert len(claimed.pop("jti")) == 36
    assert claimed == {
        "aud": AUDIENCE,
        "iss": "cid",
        "sub": "cid",
        "nbf": int(NOW),
        "exp": int(NOW) + 600,
    }


UNUSABLE: list[tuple[bytes, str | None, str]] = [
    (b"no PEM", None, "not a PEM file with a certificate"),
    (CERTIFICATE_PEM, None, "not a PEM file with a certificate"),
    (key_pem(), None, "not a PEM file with a certificate"),
    (CERTIFICATE_PEM + key_pem(password=b"open"), "wrong", "not a PEM file with a certificate"),
    (CERTIFICATE_PEM + key_pem(ec.generate_private_key(ec.SECP256R1())), None, "not an RSA key"),
]


@pytest.mark.parametrize(("pem", "password", "reason"), UNUSABLE)
def test_the_error_for_an_unusable_certificate_does_not_quote_its_key(
    pem: bytes, password: str | None, reason: str
) -> None:
    with pytest.raises(UpstreamAuth, match=reason) as caught:
        sign_assertion(pem, password, "cid", AUDIENCE, int(NOW))
    assert "BEGIN" not in caught.value.message


def test_the_error_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(UpstreamAuth, match="pip install cryptography"):
        sign_assertion(CERTIFICATE_PEM + key_pem(), None, "cid", AUDIENCE, int(NOW))
