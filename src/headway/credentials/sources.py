"""The credential source of each cloud, by the name in a provider's ``credentials`` field."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from headway.credentials.base import CloudCredentials, Fetch
from headway.types import Clock

SOURCES: Mapping[str, str] = {
    "aws": "AwsCredentials",
    "entra": "EntraCredentials",
    "google": "GoogleCredentials",
}
"""The class in the module ``source`` of each package."""


def credential_source(
    kind: str | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    fetch: Fetch,
    unix_time: Clock,
) -> CloudCredentials | None:
    """None for a provider that needs none. Reads nothing and sends nothing before the first call
    to ``credentials``."""
    if kind is None:
        return None
    source: Any = import_module(f"headway.credentials.{kind}.source")
    make: type[CloudCredentials] = getattr(source, SOURCES[kind])
    plain = {name: str(value) for name, value in environ.items()}
    return make(options, plain, fetch, unix_time)
