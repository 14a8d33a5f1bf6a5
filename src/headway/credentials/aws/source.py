"""The credential source of Amazon's providers: keys that are configured, or what botocore's
credential chain finds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from headway.credentials.aws.remedy import REMEDY
from headway.credentials.base import CloudCredentials, Credentials
from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamAuth

OPTION_KEYS = ("access_key", "secret_key", "session_token")
ENVIRON_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


class AwsCredentials(CloudCredentials):
    """Gives access_key, secret_key, session_token and region, as far as they are known.
    ``options`` are the provider's (access_key, secret_key, session_token, profile, role_arn,
    role_session_name, external_id, duration_seconds, web_identity_token_file, region), ``environ``
    the environment's variables as values.

    The first of these that is there: the keys in the options; the profile in the options; the
    environment's keys; the rest of botocore's chain, which reads the environment and the shared
    files itself (docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). A
    ``role_arn`` in the options is assumed with what was found. Keys alone need no botocore."""

    _chain: Any = None

    async def fetch(self) -> Credentials:
        keys = self._keys()
        region = self._region()
        if keys is not None and region is not None and not self._options.get("role_arn"):
            return Credentials.of(None, **keys, region=region)
        try:
            send = ThreadFetch(self._send)
            return await asyncio.to_thread(self._fetch_from_chain, keys, region, send)
        except ModuleNotFoundError as exc:
            if keys is None or self._options.get("role_arn"):
                raise _botocore_missing() from exc
            return Credentials.of(None, **keys)

    def _keys(self) -> dict[str, str] | None:
        """The keys in the options, else those in the environment if no profile is configured."""
        if (keys := _keys_in(self._options, OPTION_KEYS)) is not None:
            return keys
        return None if self._options.get("profile") else _keys_in(self._environ, ENVIRON_KEYS)

    def _region(self) -> str | None:
        given = (self._options.get("region"), *map(self._environ.get, REGIONS))
        return next((str(region) for region in given if region), None)

    def _fetch_from_chain(
        self, keys: dict[str, str] | None, region: str | None, send: ThreadFetch
    ) -> Credentials:
        """Runs in a thread: botocore blocks, and its first import takes half a second."""
        from headway.credentials.aws.botocore_chain import Chain

        if self._chain is None:
            self._chain = Chain(self._options, keys, region, send)
        found: Credentials = self._chain.fetch()
        return found


def _keys_in(values: Mapping[str, Any], names: tuple[str, str, str]) -> dict[str, str] | None:
    access_key, secret_key, session_token = (str(values.get(name) or "") for name in names)
    if not access_key or not secret_key:
        return None
    return {"access_key": access_key, "secret_key": secret_key, "session_token": session_token}


def _botocore_missing() -> UpstreamAuth:
    return UpstreamAuth(
        "AWS profiles, roles, and the credentials of containers and instances need the package"
        f" botocore: pip install botocore. Or {REMEDY}.",
        code="no_aws_credentials",
    )
