"""The error for a provider that this gateway does not have, which says what to do."""

from __future__ import annotations

from urllib.parse import urlsplit

from headway.errors import UnknownProvider
from headway.pipeline.gateway import Snapshot, Upstream
from headway.providers import FACTS

ADDRESS = "base_url"


def unknown_provider(snapshot: Snapshot, name: str) -> UnknownProvider:
    found = snapshot.upstreams.get(name)
    if found is not None and found.lacks_address:
        return UnknownProvider(_how_to_configure(found), param="provider", provider=name)
    names = ", ".join(sorted(snapshot.upstreams))
    message = f"No provider is called {name!r}; configured are: {names}."
    return UnknownProvider(message, param="provider")


def _how_to_configure(upstream: Upstream) -> str:
    """For a server of one's own. Its default address is no good example: it may be that of the
    gateway."""
    name, address = upstream.name, urlsplit(upstream.base_url or "")
    variable = FACTS[upstream.provider.name].environ.get(ADDRESS)
    in_environment = f", or {variable.name} in its environment" if variable else ""
    example = f"{address.scheme}://HOST:{address.port}{address.path}"
    return (
        f"{name} is a server of your own, and none is configured: set providers.{name}.{ADDRESS}"
        f" in the gateway's configuration, such as {example}{in_environment}."
    )
