"""Gateways with the shipped prices, and what their model routes answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from headway.catalog.catalog_cache import CatalogCache
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline.gateway import Gateway, Upstream
from headway.providers import KINDS
from headway.server.api.info_routes import InfoRoutes
from headway.types import Headers
from support.pipeline_fakes import Pipe

NOW = 1_760_000_000.0
"""Unix time: October 2025."""
OWN_PRICE = {"mine": {"a": ConfiguredPrice(input=Decimal(1), cached=Decimal("0.5"))}}


def make(upstreams: Mapping[str, Upstream]) -> Gateway:
    gateway = Pipe().gateway
    gateway.unix_time = lambda: NOW
    prices = PriceBook.load(read_shipped_prices(), OWN_PRICE)
    gateway.snapshot = replace(gateway.snapshot, upstreams=upstreams, prices=prices)
    return gateway


def upstream(name: str, kind: str = "", base_url: str | None = None, **more: Any) -> Upstream:
    provider = KINDS[kind or name]
    known = Pipe().gateway.snapshot.upstreams["openai"]
    url = provider.base_url if base_url is None else base_url
    return replace(known, **{"name": name, "provider": provider, "base_url": url, **more})


def four_providers() -> Gateway:
    """A gateway with the shipped prices; the models of ``mine`` are configured."""
    return make(
        {
            "openai": upstream("openai"),
            "mine": upstream("mine", "openai", "http://own", models=("b", "a", "o3")),
            "echo": upstream("echo"),
            "cohere": upstream("cohere"),
        }
    )


ROUTES: WeakKeyDictionary[Gateway, InfoRoutes] = WeakKeyDictionary()
"""One for each gateway, because it has a cache."""


def answer(gateway: Gateway, path: str, headers: Headers = (), **query: str) -> Any:
    routes = ROUTES.setdefault(gateway, InfoRoutes(CatalogCache(gateway)))
    return json.loads(asyncio.run(routes.respond(path, query, headers)))


def listed(gateway: Gateway, provider: str, **query: str) -> Any:
    return answer(gateway, "/api/engine/models", provider=provider, **query)


NOTHING_KNOWN = {"context_window": None, "prices": None, "refuses": [], "deprecated": None}
