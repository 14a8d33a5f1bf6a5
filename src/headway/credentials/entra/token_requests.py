"""Token requests to Microsoft Entra ID, from an application or from a managed identity.

An application (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow) sends
its secret, an assertion that its certificate signs, or a federated token that its cluster issued
(.../entra/workload-id/workload-identity-federation). A managed identity asks the metadata server of
its machine (.../managed-identities-azure-resources/how-to-use-vm-token); in an App Service or a
Container App it asks the address in its environment (learn.microsoft.com/azure/app-service/
overview-managed-identity, "REST endpoint reference").
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from headway.credentials.entra.client_certificate import sign_assertion
from headway.errors import UpstreamAuth
from headway.types import HttpRequest
from headway.wire.url import join

AUTHORITY = "https://login.microsoftonline.com"
METADATA_URL = "http://169.254.169.254"
METADATA_PATH = "/metadata/identity/oauth2/token"
METADATA_VERSION = "2018-02-01"
APP_SERVICE_VERSION = "2019-08-01"
SCOPE = "https://cognitiveservices.azure.com/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = (("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"))


class Application(Struct, frozen=True, kw_only=True):
    """A registered application. One of secret, certificate and token_file is set."""

    tenant_id: str
    client_id: str
    authority: str = AUTHORITY
    secret: str | None = None
    certificate: Path | None = None
    """A PEM file with the certificate and its private key."""
    password: str | None = None
    """The password of the private key."""
    token_file: Path | None = None
    """A federated token. The cluster renews the file, so each request reads it."""

    @property
    def token_url(self) -> str:
        tenant = quote(self.tenant_id, safe="")
        return f"{self.authority.rstrip('/')}/{tenant}/oauth2/v2.0/token"

    def request(self, scope: str, now: float) -> HttpRequest:
        """Raises UpstreamAuth with the remedy if a file cannot be read or used."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": scope,
            **self._client_authentication(int(now)),
        }
        return HttpRequest(join(self.token_url), FORM, urlencode(fields).encode())

    def _client_authentication(self, now: int) -> dict[str, str]:
        if self.secret is not None:
            return {"client_secret": self.secret}
        if self.certificate is not None:
            pem = _read(self.certificate)
            assertion = sign_assertion(pem, self.password, self.client_id, self.token_url, now)
        else:
            assert self.token_file is not None
            assertion = _read(self.token_file).decode(errors="replace").strip()
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


class ManagedIdentity(Struct, frozen=True, kw_only=True):
    """The identity of the machine, app or container that the gateway runs on."""

    client_id: str | None = None
    """The id of a user-assigned identity, of which a machine may have several."""
    metadata_url: str = METADATA_URL
    endpoint: str | None = None
    """App Service: the address for tokens, which requires the header secret."""
    header_secret: str | None = None

    def request(self, scope: str, now: float) -> HttpRequest:
        is_app_service = self.endpoint is not None
        fields = {
            "api-version": APP_SERVICE_VERSION if is_app_service else METADATA_VERSION,
            "resource": scope.removesuffix("/.default"),
        }
        if self.client_id is not None:
            fields["client_id"] = self.client_id
        query = "?" + urlencode(fields)
        if self.endpoint is not None:
            headers = (("x-identity-header", self.header_secret or ""),)
            return HttpRequest(join(self.endpoint, query), headers, b"", "GET")
        url = join(self.metadata_url, METADATA_PATH + query)
        return HttpRequest(url, (("metadata", "true"),), b"", "GET")


Identity = Application | ManagedIdentity

VARIABLES = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
    "client_certificate": "AZURE_CLIENT_CERTIFICATE_PATH",
    "client_certificate_password": "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "federated_token_file": "AZURE_FEDERATED_TOKEN_FILE",
    "authority_host": "AZURE_AUTHORITY_HOST",
}
"""The variable of Azure's SDKs that stands in for each option."""
APPLICATION_CREDENTIALS = ("client_secret", "client_certificate", "federated_token_file")
"""The first that is given is used."""
APP_SERVICE_HEADER = "IDENTITY_HEADER"


def choose_identity(options: Mapping[str, Any], environ: Mapping[str, str]) -> Identity:
    """The application that the configuration describes, else the one that the environment
    describes, else the managed identity. Raises UpstreamAuth naming what an application lacks."""
    values = {name: options.get(name) or environ.get(var) for name, var in VARIABLES.items()}
    for given in (options, values):
        credential = next((name for name in APPLICATION_CREDENTIALS if given.get(name)), None)
        if credential is not None:
            return _application(credential, values)
        if options.get("metadata_url"):
            break
    return _managed_identity(options, environ, values["client_id"])


def _managed_identity(
    options: Mapping[str, Any], environ: Mapping[str, str], client_id: str | None
) -> ManagedIdentity:
    metadata_url = options.get("metadata_url") or environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST")
    endpoint, secret = environ.get("IDENTITY_ENDPOINT"), environ.get(APP_SERVICE_HEADER)
    is_app_service = bool(not metadata_url and endpoint and secret)
    return ManagedIdentity(
        client_id=client_id,
        metadata_url=metadata_url or METADATA_URL,
        endpoint=endpoint if is_app_service else None,
        header_secret=secret if is_app_service else None,
    )


def _application(credential: str, values: Mapping[str, Any]) -> Application:
    missing = [name for name in ("tenant_id", "client_id") if not values[name]]
    if missing:
        names = " and ".join(f"{name} (or {VARIABLES[name]})" for name in missing)
        raise UpstreamAuth(f"Entra ID requires {names} with a {credential}.")
    path = None if credential == "client_secret" else Path(values[credential]).expanduser()
    return Application(
        tenant_id=values["tenant_id"],
        client_id=values["client_id"],
        authority=_authority(values["authority_host"]),
        secret=values[credential] if credential == "client_secret" else None,
        certificate=path if credential == "client_certificate" else None,
        password=values["client_certificate_password"],
        token_file=path if credential == "federated_token_file" else None,
    )


def _authority(host: str | None) -> str:
    """Azure's SDKs accept it with or without a scheme."""
    if not host:
        return AUTHORITY
    return host if "://" in host else f"https://{host}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise UpstreamAuth(f"Entra credentials in {path} cannot be read: {reason}.") from exc
