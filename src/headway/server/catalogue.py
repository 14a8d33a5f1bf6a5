"""The small routes that only read: health, providers, models, parameters. Values in, JSON out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headway.errors import HeadwayError, InvalidField, UnknownProvider
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.types import Parameter

Query = Mapping[str, str]


def health(gateway: Gateway, query: Query) -> Any:
    """Says nothing of the providers: asking them would cost money."""
    return {"status": "healthy", "message": "Headway is running."}


def providers(gateway: Gateway, query: Query) -> list[str]:
    return list(gateway.snapshot.upstreams)


def models(gateway: Gateway, query: Query) -> Any:
    """All providers' models by provider, or one provider's."""
    name = query.get("provider")
    if name is not None:
        return _listing(gateway, _upstream(gateway.snapshot, name))
    return {name: _listing(gateway, one) for name, one in gateway.snapshot.upstreams.items()}


def parameters(gateway: Gateway, query: Query) -> list[Parameter]:
    """What a provider takes; for a model that refuses some, the rest of it."""
    name = query.get("provider")
    if name is None:
        raise InvalidField("`provider` is missing from the query.", param="provider")
    return list(_upstream(gateway.snapshot, name).provider.parameters_of(query.get("model")))


def openai_models(gateway: Gateway, query: Query) -> Any:
    """OpenAI's list, each model named as ``/v1/chat/completions`` takes it."""
    data = [
        {"id": f"{name}/{model}", "object": "model", "created": 0, "owned_by": name}
        for name, upstream in gateway.snapshot.upstreams.items()
        for model in _names(gateway, upstream)
    ]
    return {"object": "list", "data": data}


ROUTES: dict[str, Callable[[Gateway, Query], Any]] = {
    "/health": health,
    "/api/engine/providers": providers,
    "/api/engine/models": models,
    "/api/engine/parameters": parameters,
    "/v1/models": openai_models,
}
OPEN = frozenset({"/health"})
"""Answered without a key."""


def answer(gateway: Gateway, path: str, query: Query) -> bytes:
    """Raises HeadwayError for a wrong query."""
    return msgspec.json.encode(ROUTES[path](gateway, query))


def _upstream(snapshot: Snapshot, name: str) -> Upstream:
    found = snapshot.upstreams.get(name)
    if found is None:
        raise unknown_provider(snapshot, name)
    return found


def unknown_provider(snapshot: Snapshot, name: str) -> HeadwayError:
    names = ", ".join(sorted(snapshot.upstreams))
    message = f"No provider is called {name!r}; configured are: {names}."
    return UnknownProvider(message, param="provider")


def _listing(gateway: Gateway, upstream: Upstream) -> dict[str, Any]:
    return {"name": upstream.provider.title, "models": _names(gateway, upstream)}


def _names(gateway: Gateway, upstream: Upstream) -> list[str]:
    """As configured; else what the kind and the price data know."""
    if upstream.models:
        return list(upstream.models)
    prices = gateway.snapshot.prices.models(upstream.provider.price_id, gateway.wall())
    known = [model.id for model in prices if not model.deprecated]
    return [*upstream.provider.models, *known]
