"""The small routes that only read: health, providers, models, parameters. Values in, JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from headway.catalog.catalog_cache import shelves
from headway.catalog.model_catalog import Shelf
from headway.errors import HeadwayError, InvalidField, UnknownProvider
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.types import Parameter

Query = Mapping[str, str]


async def health(gateway: Gateway, query: Query) -> Any:
    """Says nothing of the providers: asking them would cost money."""
    return {"status": "healthy", "message": "Headway is running."}


async def providers(gateway: Gateway, query: Query) -> list[str]:
    return list(gateway.snapshot.upstreams)


async def models(gateway: Gateway, query: Query) -> Any:
    """All providers' models by provider, or one provider's."""
    found = await _shelves(gateway, query)
    shown = {name: _shown(shelf) for name, shelf in found.items()}
    return shown[query["provider"]] if "provider" in query else shown


def _shown(shelf: Shelf) -> dict[str, Any]:
    shown = {
        "name": shelf.title,
        "models": [entry.id for entry in shelf.entries],
        "details": {entry.id: entry.details for entry in shelf.entries},
        "source": shelf.source,
    }
    return shown if shelf.error is None else {**shown, "error": shelf.error}


async def parameters(gateway: Gateway, query: Query) -> list[Parameter]:
    """What a provider takes; for a model that refuses some, the rest of it."""
    name = query.get("provider")
    if name is None:
        raise InvalidField("`provider` is missing from the query.", param="provider")
    return list(_upstream(gateway.snapshot, name).provider.parameters_of(query.get("model")))


async def openai_models(gateway: Gateway, query: Query) -> Any:
    """OpenAI's list, each model named as ``/v1/chat/completions`` takes it."""
    found = await _shelves(gateway, query)
    data = [
        {
            "id": f"{name}/{entry.id}",
            "object": "model",
            "created": entry.created,
            "owned_by": name,
            **msgspec.to_builtins(entry.details),
        }
        for name, shelf in found.items()
        for entry in shelf.entries
    ]
    errors = {name: shelf.error for name, shelf in found.items() if shelf.error is not None}
    return {"object": "list", "data": data, **({"errors": errors} if errors else {})}


async def _shelves(gateway: Gateway, query: Query) -> Mapping[str, Shelf]:
    name = query.get("provider")
    upstreams = gateway.snapshot.upstreams
    asked = list(upstreams) if name is None else [name]
    if name is not None:
        _upstream(gateway.snapshot, name)
    return await shelves(gateway, asked, is_live=query.get("live", "") not in OFF)


OFF = ("", "0", "false")

ROUTES: dict[str, Callable[[Gateway, Query], Awaitable[Any]]] = {
    "/health": health,
    "/api/engine/providers": providers,
    "/api/engine/models": models,
    "/api/engine/parameters": parameters,
    "/v1/models": openai_models,
}
OPEN = frozenset({"/health"})
"""Answered without a key."""


async def answer(gateway: Gateway, path: str, query: Query) -> bytes:
    """Raises HeadwayError for a wrong query."""
    return msgspec.json.encode(await ROUTES[path](gateway, query))


def _upstream(snapshot: Snapshot, name: str) -> Upstream:
    found = snapshot.upstreams.get(name)
    if found is None:
        raise unknown_provider(snapshot, name)
    return found


def unknown_provider(snapshot: Snapshot, name: str) -> HeadwayError:
    names = ", ".join(sorted(snapshot.upstreams))
    message = f"No provider is called {name!r}; configured are: {names}."
    return UnknownProvider(message, param="provider")
