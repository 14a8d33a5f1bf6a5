"""What Google gives tokens for: a service account's key, a user's refresh token, a machine.

Files are those of Google's own tools (cloud.google.com/docs/authentication/application-default-
credentials). A service account signs a claim (RFC 7523; developers.google.com/identity/protocols/
oauth2/service-account); a user's refresh token is RFC 6749, section 6; a machine asks its metadata
server (cloud.google.com/compute/docs/metadata).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from headway.errors import UpstreamAuth
from headway.types import HttpRequest
from headway.wire.url import join

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
METADATA_URL = "http://metadata.google.internal"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME_S = 3600
"""Of a claim; Google takes no more."""
FORM = (("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"))
FLAVOR = (("metadata-flavor", "Google"),)

_encode = msgspec.json.Encoder().encode


class ServiceAccount(Struct, frozen=True, kw_only=True, tag="service_account"):
    client_email: str
    private_key: str
    private_key_id: str | None = None
    token_uri: str = TOKEN_URI
    project_id: str | None = None

    @property
    def project(self) -> str | None:
        return self.project_id

    @property
    def quota_project(self) -> str | None:
        return None

    def request(self, now: float, token_uri: str | None) -> HttpRequest:
        """Raises UpstreamAuth with the remedy if the key cannot be used."""
        fields = {"grant_type": JWT_BEARER, "assertion": self._assertion(int(now))}
        return _form(token_uri or self.token_uri, fields)

    def _assertion(self, now: int) -> str:
        head = {"alg": "RS256", "typ": "JWT", "kid": self.private_key_id}
        claims = {
            "iss": self.client_email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        if self.private_key_id is None:
            del head["kid"]
        signed = f"{_base64(_encode(head))}.{_base64(_encode(claims))}"
        return f"{signed}.{_base64(sign(self.private_key, signed.encode()))}"


class AuthorizedUser(Struct, frozen=True, kw_only=True, tag="authorized_user"):
    """What ``gcloud auth application-default login`` leaves."""

    client_id: str
    client_secret: str
    refresh_token: str
    quota_project_id: str | None = None

    @property
    def project(self) -> str | None:
        """A user has none of its own; gcloud notes whose quota to use, which serves as well."""
        return self.quota_project_id

    @property
    def quota_project(self) -> str | None:
        return self.quota_project_id

    def request(self, now: float, token_uri: str | None) -> HttpRequest:
        fields = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }
        return _form(token_uri or TOKEN_URI, fields)


class Machine(Struct, frozen=True, kw_only=True):
    """The service account of the machine, the container or the function that this runs on."""

    metadata_url: str = METADATA_URL

    def token_request(self) -> HttpRequest:
        return self._get("instance/service-accounts/default/token")

    def project_request(self) -> HttpRequest:
        return self._get("project/project-id")

    def _get(self, path: str) -> HttpRequest:
        url = join(self.metadata_url, f"/computeMetadata/v1/{path}")
        return HttpRequest(url, FLAVOR, b"", "GET")


Grant = ServiceAccount | AuthorizedUser
_grant: Callable[[bytes], Grant] = msgspec.json.Decoder(Grant).decode


def read_grant(path: Path) -> Grant:
    """Raises UpstreamAuth, which names the file and what is wrong with it."""
    try:
        return _grant(path.expanduser().read_bytes())
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise UpstreamAuth(f"Google credentials in {path} cannot be read: {reason}.") from exc
    except msgspec.MsgspecError as exc:
        raise UpstreamAuth(
            f"{path} holds no Google credentials of a kind that works here (service_account or"
            f" authorized_user): {exc}."
        ) from exc


def sign(private_key: str, message: bytes) -> bytes:
    """RS256 (RFC 7518, section 3.3). Raises UpstreamAuth with the remedy."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    except ImportError:
        raise UpstreamAuth(
            "A Google service account's key needs a package to sign with:"
            " pip install 'headway[google]'."
        ) from None
    try:
        key: Any = serialization.load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError) as exc:  # not shown: it may quote the key
        raise UpstreamAuth("The Google service account's private_key is not a PEM key.") from exc
    if not isinstance(key, RSAPrivateKey):
        raise UpstreamAuth("The Google service account's private_key is not an RSA key.")
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _form(url: str, fields: dict[str, str]) -> HttpRequest:
    return HttpRequest(join(url), FORM, urlencode(fields).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
