"""The credential source of each cloud, by the name in a provider's ``credentials`` field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.credentials.base import CredentialCache, Fetch
from headway.types import Clock

Make = Callable[[Mapping[str, Any], Mapping[str, str], Fetch, Clock], CredentialCache]
"""From the provider's options, the environment's variables, the way to send a request, and the time
in unix seconds."""


def _aws(
    options: Mapping[str, Any], environ: Mapping[str, str], fetch: Fetch, unix_time: Clock
) -> CredentialCache:
    from headway.credentials.aws.source import AwsCredentials

    return AwsCredentials(options, environ, fetch, unix_time)


def _entra(
    options: Mapping[str, Any], environ: Mapping[str, str], fetch: Fetch, unix_time: Clock
) -> CredentialCache:
    from headway.credentials.entra.source import EntraCredentials

    return EntraCredentials(options, environ, fetch, unix_time)


def _google(
    options: Mapping[str, Any], environ: Mapping[str, str], fetch: Fetch, unix_time: Clock
) -> CredentialCache:
    from headway.credentials.google.source import GoogleCredentials

    return GoogleCredentials(options, environ, fetch, unix_time)


SOURCES: Mapping[str, Make] = {"aws": _aws, "entra": _entra, "google": _google}


def credential_source(
    kind: str | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    fetch: Fetch,
    unix_time: Clock,
) -> CredentialCache | None:
    """None for a provider that needs none. Reads nothing and sends nothing before the first call
    to ``credentials``."""
    if kind is None:
        return None
    plain = {name: str(value) for name, value in environ.items()}
    return SOURCES[kind](options, plain, fetch, unix_time)
