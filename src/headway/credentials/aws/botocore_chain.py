"""botocore's credential chain: environment, profiles, IAM Identity Center (SSO),
credential_process, web identities, roles, containers and instances.

botocore is imported here, so import this module only in a worker thread, when a provider needs it.
Elsewhere only ``config/`` reads the environment; botocore reads AWS's variables and files itself,
as every AWS tool does, and accepts no other source for most of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headway.credentials.aws.remedy import REMEDY
from headway.credentials.base import Credentials
from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamAuth

SESSION_NAME = "headway"
STS_REGION = "us-east-1"
"""The region if none is known."""
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})
"""botocore would sleep between attempts; whether to try again is the gateway's decision."""
BOTOCORE_ERRORS = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
"""The built-in ones where a file or a response does not hold what botocore expects."""
CODES: Mapping[type[Exception], str] = {
    ConfigParseError: "aws_file_unreadable",
    ProfileNotFound: "aws_profile",
    InvalidConfigError: "aws_profile",
    PartialCredentialsError: "aws_profile",
    UnknownCredentialError: "aws_profile",
}


class Chain:
    """The credentials of one provider. Its methods block.

    ``keys`` replace the search through the chain; without a ``region`` the profile's is used. With
    a ``role_arn`` in the options, the credentials are those of that role, which is assumed with the
    keys, with what the chain finds, or with the options' ``web_identity_token_file``."""

    def __init__(
        self,
        options: Mapping[str, Any],
        keys: Mapping[str, str] | None,
        region: str | None,
        fetch: ThreadFetch,
    ) -> None:
        self._options = options
        self._keys = keys
        self._region = region
        self._fetch = fetch
        self._kept: tuple[RefreshableCredentials, str | None] | None = None

    def fetch(self) -> Credentials:
        """Credentials that botocore can refresh are refreshed; otherwise, and after a failure, a
        new session reads all files again. Raises UpstreamAuth with the remedy, and UpstreamError
        where STS or SSO does not respond."""
        kept, self._kept = self._kept, None
        try:
            if kept is not None:
                return self._frozen(*kept)
            session = _session(self._options, self._fetch)
            region = self._region or _profile_region(session)
            session.set_config_variable("region", region or STS_REGION)
            role = self._options.get("role_arn")
            if self._keys is not None:
                session.set_credentials(*(value or None for value in self._keys.values()))
            elif not (role and self._options.get("web_identity_token_file")):
                _refuse_mfa(session)
            if role:
                return _assume(session, self._options, region)
            return self._frozen(_resolve(session), region)
        except BOTOCORE_ERRORS as exc:
            raise _failure(exc, self._options.get("role_arn")) from exc

    def _frozen(self, found: Any, region: str | None) -> Credentials:
        """``get_frozen_credentials`` refreshes them where they expire soon."""
        keys = found.get_frozen_credentials()
        if isinstance(found, RefreshableCredentials):
            self._kept = found, region
        # The AWS CLI reads the same attribute, for want of a public one
        # (awscli/customizations/configure/exportcreds.py).
        expiry: datetime | None = getattr(found, "_expiry_time", None)
        return Credentials.of(
            None if expiry is None else expiry.timestamp(),
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            session_token=keys.token,
            region=region,
        )


def _session(options: Mapping[str, Any], fetch: ThreadFetch) -> Session:
    """Its clients (STS, SSO) send through the gateway's transport; the endpoints of containers and
    instances are on this machine or its link, and botocore asks them directly."""
    session = Session(profile=options.get("profile") or None)
    session.register_component("data_loader", _loader())
    session.set_default_client_config(ONE_ATTEMPT)

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        response = fetch(request.method, request.url, request.headers.items(), request.body)
        headers = {name.decode(): value.decode("latin-1") for name, value in response.headers}
        return AWSResponse(request.url, response.status, headers, _Body(response.body))

    session.register("before-send", send)
    return session


@cache
def _loader() -> Loader:
    """botocore's descriptions of services. Parsing one blocks all threads for up to a tenth of a
    second, so all sessions share the parsed ones."""
    return create_loader()


class _Body(io.BytesIO):
    """The body of a response, as ``AWSResponse.content`` reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _profile_region(session: Session) -> str | None:
    """None also where the profile is missing: the chain reports that if it needs the profile."""
    try:
        region: str | None = session.get_config_variable("region")
    except ProfileNotFound:
        return None
    return region


# --- The chain ------------------------------------------------------------------------------------


def _resolve(session: Session) -> Any:
    found = session.get_credentials()
    if found is None:
        raise UpstreamAuth(
            "No AWS credentials were found in the environment, the shared files, a container's"
            f" endpoint or an instance's metadata: {REMEDY}.",
            code="no_aws_credentials",
        )
    return found


def _refuse_mfa(session: Session) -> None:
    """Refuse a profile with MFA: botocore would ask for the code on the terminal, and wait."""
    profiles = session.full_config["profiles"]
    name = session.get_config_variable("profile") or "default"
    seen: set[str] = set()
    while name in profiles and name not in seen:
        seen.add(name)
        profile = profiles[name]
        if "role_arn" in profile and "mfa_serial" in profile:
            raise UpstreamAuth(
                f"The AWS profile {name!r} asks for an MFA code, which a server cannot give.",
                code="aws_profile",
            )
        name = profile.get("source_profile", "")


# --- A role in the options ------------------------------------------------------------------------


def _assume(session: Session, options: Mapping[str, Any], region: str | None) -> Credentials:
    """docs.aws.amazon.com/STS/latest/APIReference (AssumeRole, AssumeRoleWithWebIdentity)."""
    duration = str(options.get("duration_seconds") or "")
    arguments: dict[str, Any] = {
        "RoleArn": options["role_arn"],
        "RoleSessionName": options.get("role_session_name") or SESSION_NAME,
    }
    if duration.isdigit():
        arguments["DurationSeconds"] = int(duration)
    if token_file := options.get("web_identity_token_file"):
        client = session.create_client("sts", config=Config(signature_version=UNSIGNED))
        token = _read_token(token_file)
        response = client.assume_role_with_web_identity(**arguments, WebIdentityToken=token)
    else:
        if external_id := options.get("external_id"):
            arguments["ExternalId"] = external_id
        response = session.create_client("sts").assume_role(**arguments)
    found = response["Credentials"]
    return Credentials.of(
        found["Expiration"].timestamp(),
        access_key=found["AccessKeyId"],
        secret_key=found["SecretAccessKey"],
        session_token=found["SessionToken"],
        region=region,
    )


def _read_token(path: str) -> str:
    """Kubernetes renews the file, so each request reads it."""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise UpstreamAuth(f"The token file {path} cannot be read: {reason}.") from None


# --- Failures -------------------------------------------------------------------------------------


def _failure(exc: Exception, role: str | None) -> UpstreamAuth:
    what = "AWS credentials could not be fetched"
    if role:
        what = f"The AWS role {role} could not be assumed"
    code = next((code for cls, code in CODES.items() if isinstance(exc, cls)), None)
    if isinstance(exc, ClientError):
        code = exc.response.get("Error", {}).get("Code")
    return UpstreamAuth(f"{what}: {_reason(exc)}.", code=code)


def _reason(exc: Exception) -> str:
    """Callers read it: it quotes neither what a credential process wrote nor a response's body."""
    if isinstance(exc, CredentialRetrievalError) and exc.kwargs["provider"] == "custom-process":
        return "the profile's credential_process failed: run it in a shell to see why"
    if isinstance(exc, ResponseParserError):
        return "the response is not one of AWS"
    if isinstance(exc, LookupError):
        return f"the response lacks {exc}"
    reason = " ".join(str(exc).split()).rstrip(".")
    if isinstance(exc, SSOError | TokenRetrievalError):
        reason += ": run `aws sso login` with this profile on this machine"
    return reason
