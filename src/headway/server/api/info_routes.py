"""The small read-only routes: health, providers, models, parameters. Values in, JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from headway.catalog.catalog_cache import CatalogCache
from headway.catalog.model_catalog import ProviderCatalog
from headway.errors import InvalidField
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.pipeline.unknown_names import unknown_provider
from headway.types import Parameter

Query = Mapping[str, str]
Handler = Callable[[CatalogCache, Query], Awaitable[Any]]

OFF = ("", "0", "false")
"""Values of a query parameter that do not switch it on."""


class InfoRoutes:
    """The routes of one gateway, with their cache of model lists."""

    def __init__(self, gateway: Gateway) -> None:
        self._catalog = CatalogCache(gateway)

    async def respond(self, path: str, query: Query) -> bytes:
        """The JSON for a path in ``ROUTES``. Raises HeadwayError for a wrong query."""
        return msgspec.json.encode(await ROUTES[path](self._catalog, query))


async def health(catalog: CatalogCache, query: Query) -> Any:
    """Says nothing of the providers: asking them would cost money."""
    return {"status": "healthy", "message": "Headway is running."}


class ProviderDetails(msgspec.Struct, frozen=True):
    """A provider, without anything secret."""

    name: str
    """The name to show."""
    kind: str
    has_key: bool | None
    """As in ``Upstream``."""
    key_variable: str | None
    """The environment variable that holds the key by convention."""
    is_configured: bool


async def providers(catalog: CatalogCache, query: Query) -> Any:
    """The names of the providers that can be used, or with ``details`` what is known of each."""
    snapshot = catalog.gateway.snapshot
    names = snapshot.names(lists_all=_is_on(query, "all"))
    if not _is_on(query, "details"):
        return names
    return {name: _provider_details(snapshot.upstreams[name]) for name in names}


def _provider_details(upstream: Upstream) -> ProviderDetails:
    provider = upstream.provider
    return ProviderDetails(
        name=provider.title,
        kind=provider.name,
        has_key=upstream.has_key,
        key_variable=provider.key_env,
        is_configured=upstream.is_configured,
    )


async def models(catalog: CatalogCache, query: Query) -> Any:
    """The models of the providers that can be used, by provider, or one provider's."""
    found = await _catalogs(catalog, query)
    described = {name: _show(one) for name, one in found.items()}
    return described[query["provider"]] if "provider" in query else described


def _show(catalog: ProviderCatalog) -> dict[str, Any]:
    described = {
        "name": catalog.title,
        "models": [entry.id for entry in catalog.entries],
        "details": {entry.id: entry.details for entry in catalog.entries},
        "source": catalog.source,
    }
    return described if catalog.error is None else {**described, "error": catalog.error}


async def parameters(catalog: CatalogCache, query: Query) -> list[Parameter]:
    """The parameters that a provider takes, without those that the given model rejects."""
    name = query.get("provider")
    if name is None:
        raise InvalidField("`provider` is missing from the query.", param="provider")
    upstream = _upstream(catalog.gateway.snapshot, name)
    return list(upstream.provider.parameters_of(query.get("model")))


async def openai_models(catalog: CatalogCache, query: Query) -> Any:
    """OpenAI's list, each model named as ``/v1/chat/completions`` takes it."""
    found = await _catalogs(catalog, query)
    data = [
        {
            "id": f"{name}/{entry.id}",
            "object": "model",
            "created": entry.created,
            "owned_by": name,
            **msgspec.to_builtins(entry.details),
        }
        for name, one in found.items()
        for entry in one.entries
    ]
    errors = {name: one.error for name, one in found.items() if one.error is not None}
    return {"object": "list", "data": data, **({"errors": errors} if errors else {})}


async def _catalogs(catalog: CatalogCache, query: Query) -> Mapping[str, ProviderCatalog]:
    snapshot = catalog.gateway.snapshot
    name = query.get("provider")
    if name is not None:
        _upstream(snapshot, name)
    names = snapshot.names(lists_all=_is_on(query, "all")) if name is None else [name]
    return await catalog.get(names, is_live=_is_on(query, "live"))


def _is_on(query: Query, name: str) -> bool:
    return query.get(name, "") not in OFF


ROUTES: dict[str, Handler] = {
    "/health": health,
    "/api/engine/providers": providers,
    "/api/engine/models": models,
    "/api/engine/parameters": parameters,
    "/v1/models": openai_models,
}
OPEN = frozenset({"/health"})
"""Routes that require no key."""


def _upstream(snapshot: Snapshot, name: str) -> Upstream:
    found = snapshot.upstreams.get(name)
    if found is None or found.lacks_address:
        raise unknown_provider(snapshot, name)
    return found
