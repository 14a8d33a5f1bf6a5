"""Sources of credentials that expire, by the word that a provider has for what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.ports import CredentialSource, Transport
from headway.types import Clock

Make = Callable[[Mapping[str, Any], Mapping[str, str], Transport, Clock], CredentialSource]
"""(the provider's options, the environment's variables, the way to it, the time)"""


def _google(
    options: Mapping[str, Any], environ: Mapping[str, str], transport: Transport, wall: Clock
) -> CredentialSource:
    from headway.transport.google_tokens import GoogleTokens

    return GoogleTokens(options, environ, transport, wall)


def _aws(
    options: Mapping[str, Any], environ: Mapping[str, str], transport: Transport, wall: Clock
) -> CredentialSource:
    from headway.transport.aws_credentials import AwsCredentials

    return AwsCredentials(options, environ, transport, wall)


def _entra(
    options: Mapping[str, Any], environ: Mapping[str, str], transport: Transport, wall: Clock
) -> CredentialSource:
    from headway.transport.entra_tokens import EntraTokens

    return EntraTokens(options, environ, transport, wall)


SOURCES: Mapping[str, Make] = {"aws": _aws, "entra": _entra, "google": _google}


def credential_source(
    kind: str | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    transport: Transport,
    wall: Clock,
) -> CredentialSource | None:
    """None for a provider that needs none. Nothing is looked up before somebody asks."""
    if kind is None:
        return None
    plain = {name: str(value) for name, value in environ.items()}
    return SOURCES[kind](options, plain, transport, wall)
