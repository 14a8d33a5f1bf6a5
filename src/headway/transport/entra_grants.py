"""What Microsoft Entra ID gives tokens for: an application with a secret, a certificate or another
issuer's token, and the identity of the machine that this runs on.

An application asks for itself (learn.microsoft.com/entra/identity-platform/
v2-oauth2-client-creds-grant-flow); its certificate signs a claim (.../certificate-credentials); a
workload shows the token that its cluster gave it (.../workload-id/workload-identity-federation). A
machine asks its metadata server (.../managed-identities-azure-resources/how-to-use-vm-token), an
App Service or Container App the address in its environment (learn.microsoft.com/azure/app-service/
overview-managed-identity, "REST endpoint reference").
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from headway.errors import UpstreamAuth
from headway.types import HttpRequest
from headway.wire.url import join

AUTHORITY = "https://login.microsoftonline.com"
METADATA_URL = "http://169.254.169.254"
METADATA_PATH = "/metadata/identity/oauth2/token"
METADATA_VERSION = "2018-02-01"
APP_VERSION = "2019-08-01"
SCOPE = "https://cognitiveservices.azure.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_S = 600
"""Of a claim; 5 to 10 minutes are advised."""
FORM = (("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"))
PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)

_encode = msgspec.json.Encoder().encode


class Application(Struct, frozen=True, kw_only=True):
    """A registered application; one of its three proofs is there."""

    tenant_id: str
    client_id: str
    authority: str = AUTHORITY
    secret: str | None = None
    certificate: Path | None = None
    """A PEM file with the certificate and its private key."""
    password: str | None = None
    """Of the private key."""
    token_file: Path | None = None
    """Another issuer's token, which is renewed in its place."""

    @property
    def address(self) -> str:
        tenant = quote(self.tenant_id, safe="")
        return f"{self.authority.rstrip('/')}/{tenant}/oauth2/v2.0/token"

    def request(self, scope: str, now: float) -> HttpRequest:
        """Raises UpstreamAuth with the remedy if the proof cannot be read or used."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": scope,
            **self._proof(int(now)),
        }
        return HttpRequest(join(self.address), FORM, urlencode(fields).encode())

    def _proof(self, now: int) -> dict[str, str]:
        if self.secret is not None:
            return {"client_secret": self.secret}
        if self.certificate is not None:
            assertion = self._signed(_read(self.certificate), now)
        else:
            assert self.token_file is not None
            assertion = _read(self.token_file).decode(errors="replace").strip()
        return {"client_assertion_type": ASSERTION, "client_assertion": assertion}

    def _signed(self, pem: bytes, now: int) -> str:
        key, thumbprint = _certificate(pem, self.password)
        head = {"alg": "PS256", "typ": "JWT", "x5t#S256": _base64(thumbprint)}
        claims = {
            "aud": self.address,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": str(uuid.uuid4()),
            "nbf": now,
            "exp": now + LIFETIME_S,
        }
        signed = f"{_base64(_encode(head))}.{_base64(_encode(claims))}"
        return f"{signed}.{_base64(_sign(key, signed.encode()))}"


class Machine(Struct, frozen=True, kw_only=True):
    """The identity of the machine, the app or the container that this runs on."""

    client_id: str | None = None
    """Of a user-assigned identity, where there may be several."""
    metadata_url: str = METADATA_URL
    endpoint: str | None = None
    """An app's own address for tokens, which wants ``secret`` shown."""
    secret: str | None = None

    def request(self, scope: str, now: float) -> HttpRequest:
        is_app = self.endpoint is not None
        fields = {
            "api-version": APP_VERSION if is_app else METADATA_VERSION,
            "resource": scope.removesuffix("/.default"),
        }
        if self.client_id is not None:
            fields["client_id"] = self.client_id
        query = "?" + urlencode(fields)
        if self.endpoint is not None:
            headers = (("x-identity-header", self.secret or ""),)
            return HttpRequest(join(self.endpoint, query), headers, b"", "GET")
        url = join(self.metadata_url, METADATA_PATH + query)
        return HttpRequest(url, (("metadata", "true"),), b"", "GET")


Grant = Application | Machine


def find_grant(options: Mapping[str, Any], environ: Mapping[str, str]) -> Grant:
    """What the configuration says, else what the environment says in the names of Azure's own SDKs
    (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ...), else the machine. Raises
    UpstreamAuth naming what an application lacks."""
    values = {name: options.get(name) or environ.get(name_of) for name, name_of in NAMES.items()}
    for names in (_given(options), values):
        proof = next((name for name in PROOFS if names.get(name)), None)
        if proof is not None:
            return _application(proof, values)
        if options.get("metadata_url"):
            break
    metadata_url = options.get("metadata_url") or environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST")
    is_app = not metadata_url and environ.get("IDENTITY_ENDPOINT") and environ.get(HEADER)
    return Machine(
        client_id=values["client_id"],
        metadata_url=metadata_url or METADATA_URL,
        endpoint=environ["IDENTITY_ENDPOINT"] if is_app else None,
        secret=environ[HEADER] if is_app else None,
    )


NAMES = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
    "client_certificate": "AZURE_CLIENT_CERTIFICATE_PATH",
    "client_certificate_password": "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "federated_token_file": "AZURE_FEDERATED_TOKEN_FILE",
    "authority_host": "AZURE_AUTHORITY_HOST",
}
"""The options, and the variable that each stands in for."""
PROOFS = ("client_secret", "client_certificate", "federated_token_file")
HEADER = "IDENTITY_HEADER"


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options.get(name) for name in NAMES}


def _application(proof: str, values: Mapping[str, Any]) -> Application:
    missing = [name for name in ("tenant_id", "client_id") if not values[name]]
    if missing:
        names = " and ".join(f"{name} (or {NAMES[name]})" for name in missing)
        raise UpstreamAuth(f"Entra ID wants {names} with a {proof}.")
    place = None if proof == "client_secret" else Path(values[proof]).expanduser()
    return Application(
        tenant_id=values["tenant_id"],
        client_id=values["client_id"],
        authority=_authority(values["authority_host"]),
        secret=values[proof] if proof == "client_secret" else None,
        certificate=place if proof == "client_certificate" else None,
        password=values["client_certificate_password"],
        token_file=place if proof == "federated_token_file" else None,
    )


def _authority(host: str | None) -> str:
    """Azure's SDKs take it with a scheme or without."""
    if not host:
        return AUTHORITY
    return host if "://" in host else f"https://{host}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise UpstreamAuth(f"Entra credentials in {path} cannot be read: {reason}.") from exc


def _certificate(pem: bytes, password: str | None) -> tuple[Any, bytes]:
    """The private key, and the certificate's thumbprint."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    except ImportError:
        raise UpstreamAuth(
            "A client_certificate needs a package to sign with: pip install 'headway[azure]'."
        ) from None
    blocks = {found[1].split()[-1]: found[0] for found in PEM.finditer(pem)}
    secret = None if password is None else password.encode()
    try:
        certificate = x509.load_pem_x509_certificate(blocks[b"CERTIFICATE"])
        key: Any = serialization.load_pem_private_key(blocks[b"KEY"], secret)
    except (LookupError, ValueError, TypeError) as exc:  # not shown: it may quote the key
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


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
