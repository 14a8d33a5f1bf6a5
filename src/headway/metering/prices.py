"""Find the price of a call: by the model that answered, the moment and the conditions of the call;
configured prices first, then the shipped data.

The data (``prices.json``) is that of the genai-prices package, compiled by ``tools/prices.py``:
importing the package instead takes half a second and 40 MB. A provider's models are decoded, and
a price is compiled, on first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pkgutil import get_data

import msgspec
from msgspec import Struct

from headway.metering.configured_prices import ConfiguredModel, Overrides
from headway.metering.metrics import PriceOrigin
from headway.metering.model_names import is_more_exact, is_same_model, strip_routing
from headway.metering.price import TEXT_ONLY, Price, compile_price
from headway.metering.price_data import Model, PriceData, Provider, Rate, Rates, Surcharge, Tiered
from headway.metering.quote import NO_CONDITIONS, Conditions, Quote, no_price
from headway.metering.surcharges import find_surcharge, surcharges_of

MAX_CACHED_LOOKUPS = 1024
"""Cached lookups, hits and misses. Clients choose the model names, so there is a limit."""
MAX_NAME_LENGTH = 256
"""In characters. A longer model name has no price."""
ARN, MODELS = "arn:", "/models/"
"""Marks of names that are paths."""


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
    rates: Rates = Rates()
    """All rates in force, with their tiers."""


class ModelPrices:
    """One model of the data, and its prices compiled so far: at most one for each combination of a
    dated price, variants and surcharges."""

    __slots__ = ("_compiled", "_date", "_source", "_surcharges", "is_constant", "model")

    def __init__(
        self, model: Model, source: str, taken: date, surcharges: Iterable[Surcharge]
    ) -> None:
        self.model = model
        self._source = source
        self._date = taken
        self._surcharges = surcharges_of(model.id, surcharges)
        self._compiled: dict[tuple[object, ...], Price | None] = {}
        self.is_constant = len(model.prices) == 1
        """Without conditions the price is the same at every moment."""

    def quote(self, at: float, conditions: Conditions = NO_CONDITIONS) -> Quote:
        """The price under exactly these conditions: without one for any of them it is unknown."""
        moment = datetime.fromtimestamp(at, UTC)
        variants = self._variants(moment, conditions)
        priced = {name for index in variants for name in self.model.variants[index].when}
        surcharges = []
        for name, value in conditions.items():
            if name not in priced:
                found = find_surcharge(self._surcharges, name, value, moment.date())
                if found is None:
                    return Quote(None, no_price(self.model.id, name, value))
                surcharges.append(found)
        price = self._price(self._dated(moment), tuple(variants), surcharges)
        return Quote(None, no_price(self.model.id)) if price is None else Quote(price)

    def at_reseller(self, reseller: Provider) -> ModelPrices:
        """The model at a provider that resells it, with that one's surcharges: batch and service
        tiers are only offered by the original provider."""
        model = msgspec.structs.replace(self.model, variants=[])
        return ModelPrices(model, self._source, self._date, reseller.surcharges)

    def _dated(self, moment: datetime) -> int:
        """Index of the last price in force, or 0 if none is, as in genai-prices."""
        prices = self.model.prices
        for index in range(len(prices) - 1, 0, -1):
            if prices[index].is_in_force(moment):
                return index
        return 0

    def _variants(self, moment: datetime, conditions: Conditions) -> list[int]:
        if not conditions:
            return []
        return [
            index
            for index, variant in enumerate(self.model.variants)
            if variant.when.items() <= conditions.items() and variant.is_in_force(moment)
        ]

    def _price(
        self, dated: int, variants: tuple[int, ...], surcharges: list[Surcharge]
    ) -> Price | None:
        key = (dated, variants, *((each.condition, each.factor) for each in surcharges))
        if key not in self._compiled:
            self._compiled[key] = self._compile(dated, variants, surcharges)
        return self._compiled[key]

    def _compile(
        self, dated: int, variants: tuple[int, ...], surcharges: list[Surcharge]
    ) -> Price | None:
        if not self.model.prices:
            return None
        standard = self.model.prices[dated]
        rates, factor = standard.rates, Decimal(1)
        starts, texts = [standard.start], dict[str, None]()
        for variant in reversed([self.model.variants[index] for index in variants]):
            rates = _replace(rates, variant.rates)
            starts.append(variant.start)
            texts.update((f"{name}: {value}", None) for name, value in variant.when.items())
        for surcharge in surcharges:
            factor *= surcharge.factor
            if surcharge.factor != 1:
                starts.append(surcharge.start)
                texts[f"{surcharge.condition}: times {surcharge.factor}"] = None
        latest = max((start for start in starts if start is not None), default=self._date)
        origin = PriceOrigin(
            self._source, latest.isoformat(), self.model.id, conditions=tuple(texts)
        )
        return compile_price(rates, origin, self.model.one_rate or TEXT_ONLY, factor)


Entry = ModelPrices | ConfiguredModel


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
        configured: Mapping[tuple[str | None, str], ConfiguredModel],
        base_models: Mapping[str, str],
    ) -> None:
        self._data = data
        self._base_models = base_models
        self._source = f"{data.source} {data.version}"
        self._configured = configured
        self._providers: dict[str, tuple[Provider, list[ModelPrices]]] = {}
        self._searches: dict[tuple[str, str], ModelPrices | None] = {}
        self._constant: dict[tuple[str | None, ...], Quote] = {}
        """Prices that depend neither on the moment nor on conditions, as most do."""

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
        configured: dict[tuple[str | None, str], ConfiguredModel] = {
            (provider, model): ConfiguredModel(model, rates)
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
        answered: str | None = None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Price | None:
        """The price that ``quote`` gives."""
        return self.quote(price_id, model, at, provider, answered, conditions).price

    def quote(
        self,
        price_id: str | None,
        model: str,
        at: float,
        provider: str | None,
        answered: str | None,
        conditions: Conditions,
    ) -> Quote:
        """The price of a call to ``model``, or why it is unknown.

        ``price_id`` is the provider's id in genai-prices, or None. Prices configured for
        ``provider``, the configured provider's name, take precedence. ``at`` is in unix seconds.
        ``answered`` is the provider's name of the model that answered. ``conditions`` are those
        under which another price than the standard one applies: ``service_tier`` (priority, flex,
        fast), ``processing`` (batch), ``speed`` (fast), ``region``, ``inference_geo`` (us).
        """
        key = (provider, price_id, model, answered)
        if not conditions and (known := self._constant.get(key)) is not None:
            return known
        entry = self._entry(price_id, model, answered or None, provider)
        if isinstance(entry, str):
            return Quote(None, entry)
        quote = entry.quote(at, conditions)
        if entry.is_constant and not conditions:
            if len(self._constant) >= MAX_CACHED_LOOKUPS:
                self._constant.clear()
            self._constant[key] = quote
        return quote

    def _entry(
        self, price_id: str | None, model: str, answered: str | None, provider: str | None
    ) -> Entry | str:
        """What has the price, or why there is none. The model that answered counts; its name may
        only be another spelling of the one that was asked for."""
        if answered is None or answered == model:
            return self._entry_of(price_id, model, provider)
        if (provider, answered) in self._configured:
            return self._configured[provider, answered]
        asked, answering = self._listed(price_id, model), self._listed(price_id, answered)
        vendor = price_id or ""
        is_other = answering is not asked and not is_same_model(model, answered, vendor)
        if (provider, model) in self._configured and not (is_other and asked and answering):
            return self._configured[provider, model]
        if answering is None and asked is not None:
            return f"answered by {answered}, for which there is no price" if is_other else asked
        if answering is None:
            return self._base_model(price_id, provider) or no_price(answered)
        return asked if asked and is_more_exact(model, answered, vendor) else answering

    def _entry_of(self, price_id: str | None, model: str, provider: str | None) -> Entry | str:
        if (provider, model) in self._configured:
            return self._configured[provider, model]
        return (
            self._listed(price_id, model)
            or self._base_model(price_id, provider)
            or no_price(model[:MAX_NAME_LENGTH])
        )

    def _listed(self, price_id: str | None, model: str) -> ModelPrices | None:
        if price_id is None or len(model) > MAX_NAME_LENGTH:
            return None
        return self._cached_search(price_id, model)

    def _base_model(self, price_id: str | None, provider: str | None) -> ModelPrices | None:
        base_model = self._base_models.get(provider or "")
        return None if base_model is None else self._listed(price_id, base_model)

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

    def iter_names(self, price_id: str | None) -> Iterator[str]:
        """The names of the models that the data lists for a provider, of which none is deprecated.
        They cost much less to find than ``models``."""
        if price_id is None or (known := self._provider(price_id)) is None:
            return
        for found in known[1]:
            name = None if found.model.deprecated else _callable_name(found.model)
            if name is not None:
                yield name

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
            price = self._configured[provider, name].quote(at).price
        else:
            price = None if found is None else found.quote(at).price
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
            rates=rates,
        )

    def _cached_search(self, price_id: str, model: str) -> ModelPrices | None:
        key = (price_id, model)
        if key not in self._searches:
            if len(self._searches) >= MAX_CACHED_LOOKUPS:
                del self._searches[next(iter(self._searches))]
            self._searches[key] = self._search(price_id, model.lower())
        return self._searches[key]

    def _search(self, price_id: str, name: str) -> ModelPrices | None:
        known = self._provider(price_id)
        if known is None:
            return None
        for spelling in dict.fromkeys(_spellings(name)):
            for list_id in (price_id, *known[0].fallback):
                if found := self._match(list_id, spelling):
                    return found if list_id == price_id else found.at_reseller(known[0])
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
            listings = [
                ModelPrices(one, self._source, self._data.date, provider.surcharges)
                for one in provider.models
            ]
            self._providers[price_id] = (provider, listings)
        return self._providers[price_id]


def read_shipped_prices() -> bytes:
    """The content of the shipped ``prices.json``. (``importlib.resources`` would import archive and
    temporary file modules at every start.)"""
    found = get_data(__package__, "prices.json")
    assert found is not None  # None only from a loader without get_data
    return found


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


def _spellings(name: str) -> Iterator[str]:
    """The name; the name with dashes in its date, because some routers write ``-20251211`` for the
    provider's ``-2025-12-11``; the name without a suffix for routing; and the last part of a path
    of models."""
    yield name
    yield _COMPACT_DATE.sub(_with_dashes, name)
    yield strip_routing(name)
    if name.startswith(ARN) or MODELS in f"/{name}":
        yield name.rpartition("/")[2]


_COMPACT_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?![^:-])")


def _with_dashes(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        return f"-{date(int(year), int(month), int(day))}"
    except ValueError:
        return found[0]
