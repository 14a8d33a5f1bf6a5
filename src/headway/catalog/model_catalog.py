"""What is known of a provider's models, as the catalogue shows it: names, windows, prices and the
parameters that each refuses. Null is unknown; a field that nobody told is left out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from msgspec import UNSET, Struct, UnsetType

from headway.metering.prices import CatalogModel, PriceBook
from headway.pipeline.gateway import Upstream
from headway.providers.base import Provider
from headway.providers.model_lists import ListedModel, ListedPrices


class Prices(Struct, frozen=True, kw_only=True):
    """Dollars per million tokens."""

    input: float | None
    output: float | None
    cached: float | None
    cache_write: float | None


class Details(Struct, frozen=True, kw_only=True):
    context_window: int | None
    """Tokens."""
    input_modalities: tuple[str, ...] | UnsetType = UNSET
    output_modalities: tuple[str, ...] | UnsetType = UNSET
    prices: Prices | None
    """Those that the gateway computes with."""
    listed_prices: Prices | UnsetType = UNSET
    """Those of the provider's own list."""
    refuses: tuple[str, ...]
    """Parameters."""
    deprecated: bool | None


class Entry(Struct, frozen=True, kw_only=True):
    id: str
    created: int
    """Unix seconds; 0 where nobody tells, as OpenAI's clients want a number."""
    details: Details


class Shelf(Struct, frozen=True, kw_only=True):
    """One provider's models."""

    title: str
    source: str
    """configuration, bundled or provider: where the names are from."""
    entries: tuple[Entry, ...]
    error: dict[str, Any] | None = None
    """Why the provider's own list could not be had, as every route shows errors."""


class Sheet:
    """What the price data knows of one provider's models at a moment."""

    def __init__(
        self, upstream: Upstream, prices: PriceBook, at: float, listed: list[CatalogModel]
    ) -> None:
        """``at`` is in unix seconds, ``listed`` the data's models for this provider."""
        self._upstream = upstream
        self._prices = prices
        self._at = at
        self._listed = listed
        self._by_name = {model.id: model for model in listed}

    def names(self) -> tuple[str, tuple[str, ...]]:
        """Which models there are, after the word for who says so: as configured; else what the
        kind and the data know."""
        upstream = self._upstream
        if upstream.models:
            return "configuration", upstream.models
        bundled = _spoken_to(upstream.provider, self._listed) if is_the_vendors(upstream) else ()
        return "bundled", (*upstream.provider.models, *bundled)

    def entry(self, name: str, listed: ListedModel | None = None) -> Entry:
        """The provider's own word first, where it is given."""
        provider = self._upstream.provider
        model = self._by_name.get(name) or self._prices.describe(
            provider.price_id, name, self._at, provider=self._upstream.name
        )
        own = listed or ListedModel(id=name)
        return Entry(id=name, created=own.created or 0, details=_details(provider, model, own))


def _spoken_to(provider: Provider, listed: list[CatalogModel]) -> tuple[str, ...]:
    pattern = re.compile(provider.model_pattern or "")
    return tuple(model.id for model in listed if not model.deprecated and pattern.match(model.id))


def is_the_vendors(upstream: Upstream) -> bool:
    """Whether what answers there has the vendor's models: by its address, the vendor's own or a
    region of it, or by its name, which is the vendor's. A server of one's own that speaks a
    vendor's wire under another name has models of its own."""
    provider = upstream.provider
    if upstream.name == provider.name or upstream.base_url in (None, provider.base_url):
        return True
    theirs, ours = _host(upstream.base_url), _host(provider.base_url)
    if theirs is None or ours is None:
        return False
    joint = "[.-]" if ours.count(".") > 1 else "[.]"  # evil-vendor.com is not under vendor.com
    pattern = re.escape(ours).replace(r"\{region\}", "[^.]+")
    return re.fullmatch(rf"(?:[a-z0-9.-]+{joint})?{pattern}", theirs) is not None


def _host(base_url: str | None) -> str | None:
    return urlsplit(base_url or "").hostname


def _details(provider: Provider, model: CatalogModel, own: ListedModel) -> Details:
    return Details(
        context_window=own.context_window or model.context_window,
        input_modalities=own.input_modalities or UNSET,
        output_modalities=own.output_modalities or UNSET,
        prices=_prices(model),
        listed_prices=_prices(own.prices) or UNSET,
        refuses=refused(provider, model.id),
        deprecated=model.deprecated if own.deprecated is None else own.deprecated,
    )


def refused(provider: Provider, model: str) -> tuple[str, ...]:
    """The ids of the provider's parameters that this model does not take. One that it takes by
    another id is taken: it is renamed on its way."""
    taken = {spec.name for spec in provider.parameters_of(model)}
    return tuple(spec.id for spec in provider.parameters if spec.name not in taken)


def _prices(of: CatalogModel | ListedPrices | None) -> Prices | None:
    if of is None:
        return None
    rates = {name: _number(getattr(of, name)) for name in Prices.__struct_fields__}
    return Prices(**rates) if any(rate is not None for rate in rates.values()) else None


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
