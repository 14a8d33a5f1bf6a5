"""Find the price of a model at a moment: configured prices first, then the shipped data.

The data (``prices.json``) is that of the genai-prices package, compiled by ``tools/prices.py``:
importing the package instead takes half a second and 40 MB. A provider's models are decoded, and
a price is compiled, on first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pkgutil import get_data

import msgspec
from msgspec import Struct

from headway.metering.metrics import PriceOrigin
from headway.metering.price import Price, compile_price
from headway.metering.price_data import Model, PriceData, Provider, Rate, Rates, Tiered

CONFIGURED = "configured"
MAX_CACHED_LOOKUPS = 1024
"""Cached lookups, hits and misses. Clients choose the model names, so there is a limit."""
MAX_NAME_LENGTH = 256
"""In characters. A longer model name has no price."""
NO_CONTEXT: Mapping[str, str] = {}


class ConfiguredPrice(Struct, frozen=True, kw_only=True):
    """A price from the configuration, in US dollars per million tokens. It replaces the whole price
    of the data: a rate that it omits is unknown, except that cache reads and writes then cost the
    input rate."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


Overrides = Mapping[str, Mapping[str, ConfiguredPrice]]
"""Configured provider's name -> model -> price."""


class CatalogModel(Struct, frozen=True, kw_only=True):
    """A model of the price data, with the rates in force in US dollars per million tokens, of the
    lowest tier. None is unknown, or not priced separately."""

    id: str
    """The name that a request uses."""
    name: str | None
    context_window: int | None
    input: Decimal | None
    output: Decimal | None
    cached: Decimal | None
    cache_write: Decimal | None
    deprecated: bool | None
    """None for a model that is not in the data."""


class ModelPrices:
    """One model of the data, and its prices compiled so far: at most one for each combination of a
    dated price and variants."""

    __slots__ = ("_compiled", "_date", "_source", "is_constant", "model")

    def __init__(self, model: Model, source: str, taken: date) -> None:
        self.model = model
        self._source = source
        self._date = taken
        self._compiled: dict[tuple[int, ...], Price | None] = {}
        self.is_constant = len(model.prices) == 1
        """Without a context the price is the same at every moment."""

    def price(self, at: float, context: Mapping[str, str] = NO_CONTEXT) -> Price | None:
        moment = datetime.fromtimestamp(at, UTC)
        key = (self._dated(moment), *self._variants(moment, context))
        if key not in self._compiled:
            self._compiled[key] = self._compile(*key)
        return self._compiled[key]

    def without_variants(self) -> ModelPrices:
        """The model at a provider that resells it: batch and service tiers are only offered by the
        original provider."""
        model = msgspec.structs.replace(self.model, variants=[])
        return ModelPrices(model, self._source, self._date)

    def _dated(self, moment: datetime) -> int:
        """Index of the last price in force, or 0 if none is, as in genai-prices."""
        prices = self.model.prices
        for index in range(len(prices) - 1, 0, -1):
            if prices[index].is_in_force(moment):
                return index
        return 0

    def _variants(self, moment: datetime, context: Mapping[str, str]) -> list[int]:
        if not context:
            return []
        return [
            index
            for index, variant in enumerate(self.model.variants)
            if variant.when.items() <= context.items() and variant.is_in_force(moment)
        ]

    def _compile(self, dated: int, *variants: int) -> Price | None:
        if not self.model.prices:
            return None
        standard = self.model.prices[dated]
        rates = standard.rates
        starts = [standard.start]
        for variant in reversed([self.model.variants[index] for index in variants]):
            rates = _replace(rates, variant.rates)
            starts.append(variant.start)
        return compile_price(rates, self._origin(starts))

    def _origin(self, starts: list[date | None]) -> PriceOrigin:
        latest = max((start for start in starts if start is not None), default=self._date)
        return PriceOrigin(self._source, latest.isoformat(), self.model.id)


class PriceBook:
    """All known prices. Created by ``load``."""

    __slots__ = (
        "_base_models",
        "_configured",
        "_constant",
        "_data",
        "_providers",
        "_searches",
        "_source",
    )

    def __init__(
        self,
        data: PriceData,
        configured: Mapping[tuple[str, str], Price | None],
        base_models: Mapping[str, str],
    ) -> None:
        self._data = data
        self._base_models = base_models
        self._source = f"{data.source} {data.version}"
        self._configured = configured
        self._providers: dict[str, tuple[Provider, list[ModelPrices]]] = {}
        self._searches: dict[tuple[str, str], ModelPrices | None] = {}
        self._constant: dict[tuple[str | None, str | None, str], Price | None] = {}
        """Prices that depend neither on the moment nor on a context, as most do."""

    @classmethod
    def load(
        cls,
        data: bytes,
        overrides: Overrides = {},  # noqa: B006 - only read
        base_models: Mapping[str, str] = {},
    ) -> PriceBook:
        """``data`` is the content of ``prices.json``. ``base_models`` maps a configured provider's
        name to the model whose price is used for names that the data does not know, such as Azure
        deployment names. Raises msgspec.DecodeError if ``data`` is invalid."""
        configured = {
            (provider, model): _configured(model, rates)
            for provider, models in overrides.items()
            for model, rates in models.items()
        }
        return cls(msgspec.json.decode(data, type=PriceData), configured, base_models)

    @property
    def source(self) -> str:
        """``genai-prices 0.2.3``."""
        return self._source

    def find(
        self,
        price_id: str | None,
        model: str,
        at: float,
        *,
        provider: str | None = None,
        context: Mapping[str, str] = NO_CONTEXT,
    ) -> Price | None:
        """The price of a model at a moment, or None where it is unknown.

        ``price_id`` is the provider's id in genai-prices, or None. Prices configured for
        ``provider``, the configured provider's name, take precedence. ``at`` is in unix seconds.
        ``context`` selects variants: ``service_tier`` (priority, flex, fast), ``processing``
        (batch), ``speed`` (fast).
        """
        if not context and (key := (provider, price_id, model)) in self._constant:
            return self._constant[key]
        if provider is not None and (provider, model) in self._configured:
            return self._configured[provider, model]
        if price_id is None or len(model) > MAX_NAME_LENGTH:
            return None
        found = self._cached_search(price_id, model)
        if found is None and (base_model := self._base_models.get(provider or "")) is not None:
            found = self._cached_search(price_id, base_model)
        if found is None:
            return None
        price = found.price(at, context)
        if found.is_constant and not context:
            if len(self._constant) >= MAX_CACHED_LOOKUPS:
                self._constant.clear()
            self._constant[provider, price_id, model] = price
        return price

    def models(
        self, price_id: str | None, at: float, *, provider: str | None = None
    ) -> list[CatalogModel]:
        """The models that the data lists for a provider; empty for an unknown one. Entries that
        match no callable name are left out. ``provider`` as for ``find``."""
        return list(self.iter_models(price_id, at, provider=provider))

    def iter_models(
        self, price_id: str | None, at: float, *, provider: str | None = None
    ) -> Iterator[CatalogModel]:
        """``models`` as an iterator: compiling hundreds of prices takes a while the first time."""
        if price_id is None or (known := self._provider(price_id)) is None:
            return
        for found in known[1]:
            name = _callable_name(found.model)
            if name is not None:
                yield self._catalog_model(provider, name, found, at)

    def describe(
        self, price_id: str | None, model: str, at: float, *, provider: str | None = None
    ) -> CatalogModel:
        """The details of one model, by any of its names. Not cached: a list of hundreds of models
        would evict the lookups of calls."""
        found = None
        if price_id is not None and len(model) <= MAX_NAME_LENGTH:
            found = self._search(price_id, model.lower())
            if found is None and (base_model := self._base_models.get(provider or "")) is not None:
                found = self._search(price_id, base_model.lower())
        return self._catalog_model(provider, model, found, at)

    def _catalog_model(
        self, provider: str | None, name: str, found: ModelPrices | None, at: float
    ) -> CatalogModel:
        if provider is not None and (provider, name) in self._configured:
            price = self._configured[provider, name]
        else:
            price = None if found is None else found.price(at)
        rates = Rates() if price is None else price.rates
        model = None if found is None else found.model
        return CatalogModel(
            id=name,
            name=model.name if model else None,
            context_window=model.context_window if model else None,
            input=_base(rates.input),
            output=_base(rates.output),
            cached=_base(rates.cache_read),
            cache_write=_base(rates.cache_write),
            deprecated=model.deprecated if model else None,
        )

    def _cached_search(self, price_id: str, model: str) -> ModelPrices | None:
        key = (price_id, model)
        if key not in self._searches:
            if len(self._searches) >= MAX_CACHED_LOOKUPS:
                del self._searches[next(iter(self._searches))]
            self._searches[key] = self._search(price_id, model.lower())
        return self._searches[key]

    def _search(self, price_id: str, name: str) -> ModelPrices | None:
        """Search by name, then by the name with dashes in its date: some routers write
        ``-20251211`` for the provider's ``-2025-12-11``."""
        known = self._provider(price_id)
        if known is None:
            return None
        for spelling in dict.fromkeys((name, _COMPACT_DATE.sub(_with_dashes, name))):
            for list_id in (price_id, *known[0].fallback):
                if found := self._match(list_id, spelling):
                    return found if list_id == price_id else found.without_variants()
        return None

    def _match(self, price_id: str, name: str) -> ModelPrices | None:
        known = self._provider(price_id)
        listings = known[1] if known else []
        return next((one for one in listings if one.model.match.matches(name)), None)

    def _provider(self, price_id: str) -> tuple[Provider, list[ModelPrices]] | None:
        if price_id not in self._data.providers:
            return None
        if price_id not in self._providers:
            provider = msgspec.json.decode(self._data.providers[price_id], type=Provider)
            listings = [ModelPrices(one, self._source, self._data.date) for one in provider.models]
            self._providers[price_id] = (provider, listings)
        return self._providers[price_id]


def read_shipped_prices() -> bytes:
    """The content of the shipped ``prices.json``. (``importlib.resources`` would import archive and
    temporary file modules at every start.)"""
    found = get_data(__package__, "prices.json")
    assert found is not None  # None only from a loader without get_data
    return found


def _configured(model: str, price: ConfiguredPrice) -> Price | None:
    rates = Rates(
        input=price.input,
        output=price.output,
        cache_read=price.cached,
        cache_write=price.cache_write,
    )
    return compile_price(rates, PriceOrigin(CONFIGURED, None, model))


def _replace(rates: Rates, by: Rates) -> Rates:
    given = {name: rate for name, rate in msgspec.structs.asdict(by).items() if rate is not None}
    return msgspec.structs.replace(rates, **given)


def _callable_name(model: Model) -> str | None:
    """The name that a request uses: the model's id, or where that is only a label, the first exact
    name in its matcher."""
    if model.match.matches(model.id.lower()):
        return model.id
    matchers = [model.match, *(model.match.any_of or ())]
    return next((matcher.equals for matcher in matchers if matcher.equals is not None), None)


def _base(rate: Rate | None) -> Decimal | None:
    return rate.base if isinstance(rate, Tiered) else rate


_COMPACT_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?![^:-])")


def _with_dashes(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        return f"-{date(int(year), int(month), int(day))}"
    except ValueError:
        return found[0]
