"""Say whether credentials of a cloud can be seen from here, without using them: in a provider's
options, in the environment's variables, or in the files where the cloud's tools keep them. Those of
a machine's metadata server cannot be seen without a request. The order in which the sources are
used is that of each package's ``source``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Options = Mapping[str, Any]
Environ = Mapping[str, str]

AWS_KEYS = ("access_key", "secret_key")
AWS_OPTIONS = ("profile", "web_identity_token_file")
AWS_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
AWS_VARIABLES = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
"""Any of them (docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html)."""
AWS_PROFILE_KEYS = (b"sso_", b"role_arn", b"credential_process", b"aws_access_key_id")
"""Keys of a profile in ``~/.aws/config`` that has credentials. Many have a region only."""
GCLOUD_FILE = "application_default_credentials.json"
ENTRA_PROOFS = {
    "client_secret": "AZURE_CLIENT_SECRET",
    "client_certificate": "AZURE_CLIENT_CERTIFICATE_PATH",
    "federated_token_file": "AZURE_FEDERATED_TOKEN_FILE",
}
"""Option, variable: each proves the identity of an application."""
MAX_FILE_SIZE = 256 * 1024


def has_credentials(kind: str, options: Options, environ: Environ) -> bool:
    """``kind`` is a provider's ``credentials``; ``environ`` has the environment's variables."""
    return FINDERS[kind](options, environ)


def _has_aws(options: Options, environ: Environ) -> bool:
    return (
        all(map(options.get, AWS_KEYS))
        or any(map(options.get, AWS_OPTIONS))
        or all(map(environ.get, AWS_KEY_VARIABLES))
        or any(map(environ.get, AWS_VARIABLES))
        or any(map(_has_profile, _aws_files(environ)))
    )


def _aws_files(environ: Environ) -> Iterator[Path]:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    for variable, name in (
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ("AWS_CONFIG_FILE", "config"),
    ):
        if named := environ.get(variable):
            yield Path(named)
        elif home:
            yield Path(home) / ".aws" / name


def _has_profile(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_SIZE)
    except OSError:
        return False
    return any(key in text for key in AWS_PROFILE_KEYS)


def _has_google(options: Options, environ: Environ) -> bool:
    named = ("credentials_file", "metadata_url")
    if any(map(options.get, named)) or environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return True
    path = gcloud_file(environ)
    try:
        return path is not None and path.is_file()
    except OSError:
        return False


def gcloud_file(environ: Environ) -> Path | None:
    """The file to which ``gcloud auth application-default login`` writes a user's credentials."""
    if folder := environ.get("CLOUDSDK_CONFIG"):
        return Path(folder) / GCLOUD_FILE
    if folder := environ.get("APPDATA"):
        return Path(folder) / "gcloud" / GCLOUD_FILE
    if home := environ.get("HOME"):
        return Path(home) / ".config" / "gcloud" / GCLOUD_FILE
    return None


def _has_entra(options: Options, environ: Environ) -> bool:
    has_proof = any(options.get(name) or environ.get(var) for name, var in ENTRA_PROOFS.items())
    tenant = options.get("tenant_id") or environ.get("AZURE_TENANT_ID")
    client = options.get("client_id") or environ.get("AZURE_CLIENT_ID")
    is_app_service = environ.get("IDENTITY_ENDPOINT") and environ.get("IDENTITY_HEADER")
    is_application = has_proof and tenant and client
    return bool(is_application or options.get("metadata_url") or is_app_service)


FINDERS: Mapping[str, Callable[[Options, Environ], bool]] = {
    "aws": _has_aws,
    "entra": _has_entra,
    "google": _has_google,
}
