"""Sign requests with AWS credentials
(docs.aws.amazon.com/bedrock/latest/userguide/security-iam.html)."""

from __future__ import annotations

from typing import Any

from headway.errors import MissingProviderKey
from headway.providers.bedrock.endpoint import AWS_HOST, region_of
from headway.types import HttpRequest, Target
from headway.wire.sigv4 import AwsCredentials, CredentialScope, sign

CREDENTIAL_OPTIONS = {
    "region": "the AWS region, such as us-east-1",
    "access_key": "an AWS access key id",
    "secret_key": "its secret access key",
    "session_token": "the session token of temporary credentials",
    "profile": "a profile of AWS's shared files",
    "role_arn": "a role to assume",
    "role_session_name": "the name of the role's session; headway by default",
    "external_id": "the external id that the role asks for",
    "duration_seconds": "how long the role's credentials last",
    "web_identity_token_file": "a file with a token to assume the role with",
}
SECRET_OPTIONS = frozenset({"access_key", "secret_key", "session_token"})


def sign_request(service: str, request: HttpRequest, target: Target, now: float) -> HttpRequest:
    """``request`` with a signature for the AWS service, unless it has an API key. ``now`` is unix
    seconds. An address that is not AWS's needs no credentials; raises MissingProviderKey where AWS
    needs them and there are none."""
    if target.api_key is not None:
        return request
    credentials = _credentials(target)
    if credentials is not None:
        return sign(request, credentials, CredentialScope(region_of(target), service), now)
    if AWS_HOST.search(request.url.host) is None:
        return request
    raise MissingProviderKey(
        f"There are no credentials for {target.provider}: set AWS_BEARER_TOKEN_BEDROCK or AWS's"
        f" own variables in the gateway's environment, or providers.{target.provider}.api_key or"
        " access_key and secret_key in its configuration, or send `api_key`.",
        param="api_key",
        provider=target.provider,
    )


def _credentials(target: Target) -> AwsCredentials | None:
    """The credentials of the credential source, else the configured ones."""
    for values in (target.credentials, target.options):
        access_key, secret_key = values.get("access_key"), values.get("secret_key")
        if access_key and secret_key:
            token: Any = values.get("session_token") or None
            return AwsCredentials(str(access_key), str(secret_key), token)
    return None
