"""A provider's models as the model routes show them: names, context windows, prices and the
parameters that each model rejects. Null is unknown; a modality list that is unknown is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from headway.metering.model_abilities import ModelAbilities
from headway.metering.price_data import Rates
from headway.metering.prices import CatalogModel, PriceBook
from headway.pipeline.gateway import Upstream
from headway.pipeline.target_facts import describe_abilities, find_abilities
from headway.pipeline.vendor_models import serves_vendor_models
from headway.providers.base import Provider
from headway.providers.model_lists import ListedModel, ListedPrices
from headway.types import Parameter


class CatalogPrices(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens."""

    input: float | None
    output: float | None
    cached: float | None
    cache_write: float | None


class ModelDetails(Struct, frozen=True, kw_only=True):
    context_window: int | None
    """Tokens."""
    input_modalities: tuple[str, ...] | UnsetType = UNSET
    output_modalities: tuple[str, ...] | UnsetType = UNSET
    prices: CatalogPrices | None
    """The prices that the gateway computes costs with."""
    listed_prices: CatalogPrices | UnsetType = UNSET
    """The prices in the provider's own list."""
    refuses: tuple[str, ...]
    """Ids of parameters."""
    deprecated: bool | None


class CatalogEntry(Struct, frozen=True, kw_only=True):
    id: str
    created: int
    """Unix seconds; 0 if unknown, because OpenAI's clients expect a number."""
    details: ModelDetails
    name: str | None
    """The name that people know it by."""
    rates: Rates
    """All rates of ``details.prices``, with their tiers."""
    max_output: int | None
    """Tokens."""
    abilities: Mapping[str, bool | None]
    """As ``target_facts.describe_abilities`` says."""
    parameters: tuple[Parameter, ...]
    """Those that the model takes."""


class ProviderCatalog(Struct, frozen=True, kw_only=True):
    """One provider's models."""

    title: str
    source: str
    """``configuration``, ``bundled`` or ``provider``: the source of the names."""
    entries: tuple[CatalogEntry, ...]
    error: dict[str, Any] | None = None
    """Why the provider's own list could not be fetched, in the shape of all errors."""


class ModelDescriber:
    """Describes one provider's models by the price data of one moment. ``at`` is in Unix seconds,
    ``priced`` the data's models for this provider."""

    def __init__(
        self, upstream: Upstream, prices: PriceBook, at: float, priced: list[CatalogModel]
    ) -> None:
        self._upstream = upstream
        self._prices = prices
        self._at = at
        self._priced = priced
        self._by_name = {model.id: model for model in priced}

    def names(self) -> tuple[str, tuple[str, ...]]:
        """Their source, and the names of the models: those that are configured, else those that
        the provider's adapter and the price data know."""
        upstream = self._upstream
        if upstream.models:
            return "configuration", upstream.models
        bundled: tuple[str, ...] = ()
        if serves_vendor_models(upstream):
            bundled = _callable_names(upstream.provider, self._priced)
        return "bundled", (*upstream.provider.models, *bundled)

    def describe(self, name: str, listed: ListedModel | None = None) -> CatalogEntry:
        """``listed`` is the model in the provider's own list, which takes precedence."""
        upstream, provider = self._upstream, self._upstream.provider
        priced = self._by_name.get(name) or self._prices.describe(
            provider.price_id, name, self._at, provider=upstream.name
        )
        listed = listed or ListedModel(id=name)
        known = find_abilities(upstream, name)
        taken = provider.parameters_of(priced.id)
        return CatalogEntry(
            id=name,
            created=listed.created or 0,
            details=_details(provider, priced, listed, known, taken),
            name=priced.name,
            rates=priced.rates,
            max_output=known.max_output,
            abilities=describe_abilities(provider.capabilities, known),
            parameters=taken,
        )


def _callable_names(provider: Provider, priced: list[CatalogModel]) -> tuple[str, ...]:
    """The models that this provider serves, of those that share a price list."""
    pattern = re.compile(provider.model_pattern or "")
    return tuple(model.id for model in priced if not model.deprecated and pattern.match(model.id))


def _details(
    provider: Provider,
    priced: CatalogModel,
    listed: ListedModel,
    known: ModelAbilities,
    taken: Sequence[Parameter],
) -> ModelDetails:
    return ModelDetails(
        context_window=listed.context_window or priced.context_window or known.context_window,
        input_modalities=listed.input_modalities or UNSET,
        output_modalities=listed.output_modalities or UNSET,
        prices=_prices(priced),
        listed_prices=_prices(listed.prices) or UNSET,
        refuses=_rejected(provider, taken),
        deprecated=priced.deprecated if listed.deprecated is None else listed.deprecated,
    )


def _rejected(provider: Provider, taken: Sequence[Parameter]) -> tuple[str, ...]:
    """The ids of the provider's parameters that a model rejects. A parameter that the model takes
    under another id is not rejected: the adapter renames it."""
    names = {spec.name for spec in taken}
    return tuple(spec.id for spec in provider.parameters if spec.name not in names)


def _prices(of: CatalogModel | ListedPrices | None) -> CatalogPrices | None:
    if of is None:
        return None
    rates = {name: _number(getattr(of, name)) for name in CatalogPrices.__struct_fields__}
    return CatalogPrices(**rates) if any(rate is not None for rate in rates.values()) else None


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
