"""Which providers have a key, and which can be used without one from the client."""

from __future__ import annotations

from collections.abc import Mapping

from headway.config import Provider
from headway.credentials.discovery import has_credentials
from headway.providers import FACTS


def has_key(configured: Provider, environ: Mapping[str, str]) -> bool | None:
    """Whether the gateway has a key or credentials for a provider; ``environ`` has the variables of
    the clouds' tools. None where it needs none, or where a metadata server may have them."""
    if configured.api_key is not None:
        return True
    source = FACTS[configured.kind].credentials
    if source is None:
        return False if configured.needs_key else None
    if has_credentials(source, configured.options, environ):
        return True
    return None if configured.is_configured else False


def is_usable(configured: Provider, environ: Mapping[str, str]) -> bool:
    """Whether a client without a key of its own can use the provider: it is configured, has a key,
    or is built in. Credentials of a cloud are of use with an address only."""
    if configured.is_configured:
        return True
    if configured.lacks_address:
        return False
    found = has_key(configured, environ)
    needs_address = configured.api_key is None and FACTS[configured.kind].credentials is not None
    return found is not False and not (needs_address and configured.base_url is None)
