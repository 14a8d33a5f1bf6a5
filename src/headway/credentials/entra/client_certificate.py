"""The assertion that an application's certificate signs in place of a secret
(learn.microsoft.com/entra/identity-platform/certificate-credentials)."""

from __future__ import annotations

import base64
import re
import uuid
from typing import Any

import msgspec

from headway.errors import UpstreamAuth

LIFETIME_S = 600
"""Lifetime of an assertion; Microsoft advises 5 to 10 minutes."""
PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)

_encode = msgspec.json.Encoder().encode


def sign_assertion(
    pem: bytes, password: str | None, client_id: str, audience: str, now: int
) -> str:
    """A signed JWT. ``pem`` holds the certificate and its private key, ``password`` opens the key,
    ``now`` is in unix seconds. Raises UpstreamAuth with the remedy."""
    key, thumbprint = _load(pem, password)
    header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _base64url(thumbprint)}
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + LIFETIME_S,
    }
    signed = f"{_base64url(_encode(header))}.{_base64url(_encode(claims))}"
    return f"{signed}.{_base64url(_sign(key, signed.encode()))}"


def _load(pem: bytes, password: str | None) -> tuple[Any, bytes]:
    """The private key, and the certificate's SHA-256 thumbprint."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    except ImportError:
        raise UpstreamAuth(
            "A client_certificate needs the package cryptography: pip install cryptography."
        ) from None
    blocks = {found[1].split()[-1]: found[0] for found in PEM.finditer(pem)}
    secret = None if password is None else password.encode()
    try:
        certificate = x509.load_pem_x509_certificate(blocks[b"CERTIFICATE"])
        key: Any = serialization.load_pem_private_key(blocks[b"KEY"], secret)
    except (LookupError, ValueError, TypeError) as exc:  # its text may quote the key
        raise UpstreamAuth(
            "The client_certificate is not a PEM file with a certificate and its private key."
        ) from exc
    if not isinstance(key, RSAPrivateKey):
        raise UpstreamAuth("The private key of the client_certificate is not an RSA key.")
    return key, certificate.fingerprint(hashes.SHA256())


def _sign(key: Any, message: bytes) -> bytes:
    """PS256 (RFC 7518, section 3.5)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    signature: bytes = key.sign(message, pss, hashes.SHA256())
    return signature


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
