"""Tokens for credentials in a file, through google-auth: service accounts, users of gcloud,
workload identity federation, impersonated service accounts.

google-auth is imported here, so import this module only in a worker thread, when a provider needs
it. Its functions block.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

from google.auth import aws, identity_pool, impersonated_credentials, pluggable
from google.auth import external_account_authorized_user as workforce
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport import Request
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account

from headway.credentials.base import Credentials
from headway.credentials.google.remedy import REMEDY
from headway.credentials.oauth import is_server_failure, read_token
from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
AWS_TOKEN_TYPE = "urn:ietf:params:aws:token-type:aws4_request"  # noqa: S105 - a name
SECRET_FIELDS = ("private_key", "client_secret", "refresh_token")
LONGEST_REASON = 300
GOOGLE = "Google"


def fetch_with_file(path: Path, token_uri: str | None, fetch: ThreadFetch) -> Credentials:
    """A new token for the credentials in ``path``. ``token_uri`` replaces the address in the file.

    Raises UpstreamAuth where the file cannot be used or Google refuses it, UpstreamError where a
    server failed, UpstreamGarbled where a response holds no token."""
    info = _read(path)
    credentials = _load(path, info)
    if token_uri and hasattr(credentials, "with_token_uri"):
        credentials = credentials.with_token_uri(token_uri)
    _refresh(credentials, TransportRequest(fetch))
    return Credentials.of(
        credentials.expiry.replace(tzinfo=UTC).timestamp() if credentials.expiry else None,
        access_token=credentials.token,
        # A user has no project: gcloud notes whose quota to use, and that project serves as well.
        project=info.get("project_id") or info.get("quota_project_id"),
        quota_project=credentials.quota_project_id,
    )


# --- Files ----------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, Any]:
    try:
        info = json.loads(path.read_bytes())
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise UpstreamAuth(f"Google credentials in {path} cannot be read: {reason}.") from exc
    except ValueError as exc:
        raise _unusable(path, "it is not JSON") from exc
    if not isinstance(info, dict):
        raise _unusable(path, "it is not a JSON object")
    return info


def _external_account(info: Mapping[str, Any], scopes: list[str]) -> Any:
    """Workload identity federation: its class depends on where the subject token comes from
    (google.aip.dev/auth/4117)."""
    source = info.get("credential_source")
    module: Any = identity_pool
    if info.get("subject_token_type") == AWS_TOKEN_TYPE:
        module = aws
    elif isinstance(source, Mapping) and "executable" in source:
        module = pluggable
    return module.Credentials.from_info(info, scopes=scopes)


LOADERS: Mapping[str, Callable[[Any, list[str]], Any]] = {
    "service_account": lambda info, scopes: service_account.Credentials.from_service_account_info(
        info, scopes=scopes
    ),
    # A refresh token carries the scopes that the user consented to.
    "authorized_user": lambda info, _: oauth2.Credentials.from_authorized_user_info(info),
    "external_account": _external_account,
    "external_account_authorized_user": lambda info, _: workforce.Credentials.from_info(info),
    "impersonated_service_account": lambda info, scopes: (
        impersonated_credentials.Credentials.from_impersonated_service_account_info(info, scopes)
    ),
}
"""The loaders by the file's ``type``. (google-auth's own function for all of them is
deprecated.)"""


def _load(path: Path, info: Mapping[str, Any]) -> Any:
    loader = LOADERS.get(str(info.get("type")))
    if loader is None:
        known = ", ".join(LOADERS)
        raise _unusable(path, f"its type is {info.get('type')!r}; known are {known}")
    try:
        return loader(info, SCOPES)
    except ValueError as exc:
        raise _unusable(path, _without_secrets(str(exc), info)) from exc
    except (AttributeError, LookupError, TypeError) as exc:
        raise _unusable(path, "fields are missing or of the wrong type") from exc


def _without_secrets(text: str, info: Mapping[str, Any]) -> str:
    """google-auth quotes some values that it cannot convert."""
    secrets = [str(info[name]) for name in SECRET_FIELDS if info.get(name)]
    if any(secret in text for secret in secrets):
        return "fields are of the wrong type"
    return text.rstrip(".")


def _unusable(path: Path, reason: str) -> UpstreamAuth:
    return UpstreamAuth(f"{path} holds no usable Google credentials: {reason}.")


# --- Requests -------------------------------------------------------------------------------------


class TransportResponse(NamedTuple):
    """A response with the attributes that google-auth reads."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class TransportRequest(Request):
    """google-auth's way to send a request, through the gateway's transport.

    A server failure is raised at once: google-auth would try it again for seconds, and whether to
    try again is the gateway's decision."""

    def __init__(self, fetch: ThreadFetch) -> None:
        self._fetch = fetch
        self.last_status = 0

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> TransportResponse:
        if kwargs.get("cert"):
            raise TransportError("token requests with a client certificate are not supported")
        try:
            response = self._fetch(method, url, (headers or {}).items(), body)
            if is_server_failure(response.status):
                read_token(response, GOOGLE, REMEDY)
        except UpstreamError as failure:
            raise TransportError(failure.message) from failure
        self.last_status = response.status
        names = {name.decode(): value.decode("latin-1") for name, value in response.headers}
        return TransportResponse(response.status, names, response.body)


def _refresh(credentials: Any, request: TransportRequest) -> None:
    try:
        credentials.refresh(request)
    except GoogleAuthError as exc:
        if isinstance(exc.__cause__, UpstreamError):
            raise exc.__cause__ from exc
        raise _refused(_reason(exc, request.last_status)) from exc
    except (TypeError, ValueError) as exc:  # google-auth expects JSON with a token in it
        raise UpstreamGarbled(
            f"Google's token server sent a body that holds no token: {exc}."
        ) from exc
    if not credentials.token:
        raise _refused("no access token in the response")


def _refused(reason: str) -> UpstreamAuth:
    return UpstreamAuth(f"Google refused the credentials ({reason}): {REMEDY}.")


def _reason(error: GoogleAuthError, status: int) -> str:
    """google-auth's errors hold a message, and behind it the response's body, decoded or not."""
    message, *details = error.args or ("",)
    body = details[0] if details else None
    if isinstance(body, Mapping) and body.get("error"):
        return str(body.get("error_description") or body["error"])
    text = str(message)
    if text.lstrip().startswith("<"):  # a page in place of JSON
        return f"status {status}"
    return text[:LONGEST_REASON].rstrip(".")
