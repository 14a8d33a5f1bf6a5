"""One look for AWS credentials, through all the places where they may be.

The order (docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html): what the
configuration says (keys, or a profile), the environment's keys, its web identity, the shared files,
a container's agent, the instance's metadata. A configured ``role_arn`` is taken on top of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from headway.errors import UpstreamAuth
from headway.transport.aws_profiles import DEFAULT, Profile, read_profiles
from headway.transport.aws_services import SESSION, AwsServices, Role, Temporary
from headway.wire.sigv4 import Key

STS_REGION = "us-east-1"
OPTION_KEYS = ("access_key", "secret_key", "session_token")
ENVIRON_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
FILE_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
NO_SUPPORT = {
    "sso_session": "IAM Identity Center",
    "sso_start_url": "IAM Identity Center",
    "credential_process": "a credential_process",
    "login_session": "a console login",
}
"""What a profile can use and this does not, by the key that shows it."""
REMEDY = (
    "give this provider an api_key (a Bedrock API key), or access_key and secret_key, or a profile,"
    " or a role_arn"
)


class Search:
    """One look through all places."""

    def __init__(
        self, options: Mapping[str, Any], environ: Mapping[str, str], services: AwsServices
    ) -> None:
        self._options = options
        self._environ = environ
        self._services = services
        self._profiles: Mapping[str, Profile] | None = None

    async def run(self) -> Temporary:
        role = _role(self._options)
        token_file = self._options.get("web_identity_token_file")
        if role is not None and token_file:
            region = await self._sts_region()
            return await self._services.assume_with_web_identity(role, token_file, region)
        base = await self._base()
        if role is None:
            return base
        return await self._services.assume_role(role, base.key, await self._sts_region())

    async def region(self) -> str | None:
        """As configured, else the environment's, else the profile's."""
        for given in (
            self._options.get("region"),
            self._environ.get("AWS_REGION"),
            self._environ.get("AWS_DEFAULT_REGION"),
        ):
            if given:
                return str(given)
        profile = (await self._read()).get(self._profile_name or DEFAULT, {})
        return profile.get("region")

    async def _sts_region(self) -> str:
        return await self.region() or STS_REGION

    async def _base(self) -> Temporary:
        if (static := _static(self._options, OPTION_KEYS)) is not None:
            return static
        if self._options.get("profile"):
            return await self._of_profile(self._options["profile"], ())
        for place in self._places():
            found = await place()
            if found is not None:
                return found
        raise UpstreamAuth(
            "No AWS credentials were found in the environment, the shared files, a container's"
            f" agent or an instance's metadata: {REMEDY}.",
            code="no_aws_credentials",
        )

    def _places(self) -> tuple[Callable[[], Awaitable[Temporary | None]], ...]:
        return (
            self._of_environment,
            self._of_web_identity,
            self._of_files,
            self._of_container,
            self._of_instance,
        )

    async def _of_environment(self) -> Temporary | None:
        return _static(self._environ, ENVIRON_KEYS)

    async def _of_web_identity(self) -> Temporary | None:
        token_file, arn = (
            self._environ.get(name) for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
        )
        if not token_file or not arn:
            return None
        role = Role(arn=arn, session_name=self._environ.get("AWS_ROLE_SESSION_NAME") or SESSION)
        region = await self._sts_region()
        return await self._services.assume_with_web_identity(role, token_file, region)

    async def _of_files(self) -> Temporary | None:
        name = self._profile_name
        if name is None and not _is_usable((await self._read()).get(DEFAULT, {})):
            return None  # there is no default, or it holds settings only
        return await self._of_profile(name or DEFAULT, ())

    async def _of_container(self) -> Temporary | None:
        return await self._services.of_container(self._environ)

    async def _of_instance(self) -> Temporary | None:
        if self._environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            return None
        return await self._services.of_instance()

    # --- Profiles ---------------------------------------------------------------------------------

    @property
    def _profile_name(self) -> str | None:
        named = self._options.get("profile") or self._environ.get("AWS_PROFILE")
        return str(named) if named else None

    async def _read(self) -> Mapping[str, Profile]:
        if self._profiles is None:
            self._profiles = await asyncio.to_thread(read_profiles, self._environ)
        return self._profiles

    async def _of_profile(self, name: str, passed: tuple[str, ...]) -> Temporary:
        """``passed`` are the profiles whose source this is. A profile may name itself as its
        source: then its own keys are meant."""
        profile = (await self._read()).get(name)
        if profile is None:
            raise _profile_error(name, "is in no file: check its name, HOME and AWS_PROFILE")
        static = _static(profile, FILE_KEYS)
        if name in passed and static is None:
            raise _profile_error(name, "is its own source, and has no keys")
        if "role_arn" not in profile or name in passed:
            return static or _refuse(name, profile)
        return await self._of_role(name, profile, passed)

    async def _of_role(self, name: str, profile: Profile, passed: tuple[str, ...]) -> Temporary:
        role, region = _role(profile), profile.get("region") or await self._sts_region()
        assert role is not None
        if "mfa_serial" in profile:
            raise _profile_error(name, "asks for a code of MFA, which a server cannot give")
        if "web_identity_token_file" in profile:
            token_file = profile["web_identity_token_file"]
            return await self._services.assume_with_web_identity(role, token_file, region)
        if "source_profile" in profile:
            source = await self._of_profile(profile["source_profile"], (*passed, name))
        else:
            source = await self._of_credential_source(name, profile)
        return await self._services.assume_role(role, source.key, region)

    async def _of_credential_source(self, name: str, profile: Profile) -> Temporary:
        sources = {
            "Environment": self._of_environment,
            "EcsContainer": self._of_container,
            "Ec2InstanceMetadata": self._of_instance,
        }
        place = sources.get(profile.get("credential_source", ""))
        if place is None:
            raise _profile_error(name, "has a role_arn without a source_profile that is known")
        found = await place()
        if found is None:
            source = profile["credential_source"]
            raise _profile_error(name, f"takes its credentials from {source}, which has none")
        return found


def _static(values: Mapping[str, Any], names: tuple[str, str, str]) -> Temporary | None:
    access_key, secret_key, session_token = (values.get(name) for name in names)
    if not access_key or not secret_key:
        return None
    return Temporary(Key(str(access_key), str(secret_key), session_token or None))


def _role(values: Mapping[str, Any]) -> Role | None:
    if not values.get("role_arn"):
        return None
    duration = values.get("duration_seconds")
    return Role(
        arn=values["role_arn"],
        session_name=values.get("role_session_name") or SESSION,
        external_id=values.get("external_id"),
        duration_s=int(duration) if duration and str(duration).isdigit() else None,
    )


def _is_usable(profile: Profile) -> bool:
    return any(name in profile for name in ("role_arn", FILE_KEYS[0], *NO_SUPPORT))


def _refuse(name: str, profile: Profile) -> Temporary:
    for key, what in NO_SUPPORT.items():
        if key in profile:
            remedy = "export its credentials with `aws configure export-credentials`"
            raise _profile_error(name, f"uses {what}, which is not supported here: {remedy}")
    raise _profile_error(name, "has neither keys nor a role_arn")


def _profile_error(name: str, what: str) -> UpstreamAuth:
    return UpstreamAuth(f"The AWS profile {name!r} {what}.", code="aws_profile")
