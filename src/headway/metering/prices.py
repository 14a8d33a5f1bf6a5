"""Finds the price of a model at a moment: configured prices first, then the shipped data.

The data (``prices.json``) is that of the genai-prices package, compiled by ``tools/prices.py``:
importing the package costs half a second and 40 MB, which a gateway does not pay. A provider's
part is decoded when it is first asked for, a price is compiled when it is first found.
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
from headway.metering.price_data import Book, Model, Provider, Rate, Rates, Tiered

CONFIGURED = "configured"
REMEMBERED = 1024
"""Lookups kept, found or not. Clients choose model names, so there is a limit."""
LONGEST_NAME = 256
"""Characters. A longer model name has no price."""
NO_CONTEXT: Mapping[str, str] = {}


class ConfiguredPrice(Struct, frozen=True, kw_only=True):
    """A price from the configuration, US dollars per million tokens. It replaces the data's price
    whole: what it leaves out is unknown, but cached and written tokens then cost the input rate."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


Overrides = Mapping[str, Mapping[str, ConfiguredPrice]]
"""Configured provider's name -> model -> price."""


class CatalogueModel(Struct, frozen=True, kw_only=True):
    """A model of the price data. Its rates are dollars per million tokens in force, before any
    tier; None is unknown, or not priced on its own."""

    id: str
    """The name to call it by."""
    name: str | None
    context_window: int | None
    input: Decimal | None
    output: Decimal | None
    cached: Decimal | None
    cache_write: Decimal | None
    deprecated: bool | None
    """None for a model that the data does not have."""


class Listing:
    """One model of the data with the prices of it that were asked for so far: at most one for each
    of its dated prices and sets of variants."""

    __slots__ = ("_compiled", "_date", "_source", "is_fixed", "model")

    def __init__(self, model: Model, source: str, taken: date) -> None:
        self.model = model
        self._source = source
        self._date = taken
        self._compiled: dict[tuple[int, ...], Price | None] = {}
        self.is_fixed = len(model.prices) == 1
        """Without a context the price does not depend on the moment."""

    def price(self, at: float, context: Mapping[str, str] = NO_CONTEXT) -> Price | None:
        moment = datetime.fromtimestamp(at, UTC)
        key = (self._dated(moment), *self._variants(moment, context))
        if key not in self._compiled:
            self._compiled[key] = self._compile(*key)
        return self._compiled[key]

    def without_variants(self) -> Listing:
        """The same model at a provider that only resells it: batch and service tiers are the
        maker's own."""
        model = msgspec.structs.replace(self.model, variants=[])
        return Listing(model, self._source, self._date)

    def _dated(self, moment: datetime) -> int:
        """The last price in force, and the first of all where none is; as genai-prices does."""
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
    """All prices that the gateway knows. Made by ``load``."""

    __slots__ = ("_behind", "_book", "_configured", "_fixed", "_found", "_shelves", "_source")

    def __init__(
        self,
        book: Book,
        configured: Mapping[tuple[str, str], Price | None],
        behind: Mapping[str, str],
    ) -> None:
        self._book = book
        self._behind = behind
        self._source = f"{book.source} {book.version}"
        self._configured = configured
        self._shelves: dict[str, tuple[Provider, list[Listing]]] = {}
        self._found: dict[tuple[str, str], Listing | None] = {}
        self._fixed: dict[tuple[str | None, str | None, str], Price | None] = {}
        """Prices that depend neither on the moment nor on a context, as nearly all do."""

    @classmethod
    def load(
        cls,
        data: bytes,
        overrides: Overrides = {},  # noqa: B006 - only read
        behind: Mapping[str, str] = {},
    ) -> PriceBook:
        """``data`` is the content of ``prices.json``; ``behind``, by the configured provider's
        name, the model to take for what the data does not know: deployments have names of their
        own. Raises msgspec.DecodeError if ``data`` is not."""
        configured = {
            (provider, model): _configured(model, rates)
            for provider, models in overrides.items()
            for model, rates in models.items()
        }
        return cls(msgspec.json.decode(data, type=Book), configured, behind)

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
        """The price of a model at a moment, or None: unknown.

        ``price_id`` is genai-prices' provider id (None: the data has none), ``provider`` the
        configured provider's name, whose configured prices win. ``at`` is in unix seconds.
        ``context`` selects variants: ``service_tier`` (priority, flex, fast), ``processing``
        (batch), ``speed`` (fast).
        """
        if not context and (key := (provider, price_id, model)) in self._fixed:
            return self._fixed[key]
        if provider is not None and (provider, model) in self._configured:
            return self._configured[provider, model]
        if price_id is None or len(model) > LONGEST_NAME:
            return None
        listing = self._listing(price_id, model)
        if listing is None and (named := self._behind.get(provider or "")) is not None:
            listing = self._listing(price_id, named)
        if listing is None:
            return None
        price = listing.price(at, context)
        if listing.is_fixed and not context:
            if len(self._fixed) >= REMEMBERED:
                self._fixed.clear()
            self._fixed[provider, price_id, model] = price
        return price

    def models(
        self, price_id: str | None, at: float, *, provider: str | None = None
    ) -> list[CatalogueModel]:
        """The models that the data lists for a provider; none where it does not know it. A rule
        that names no model that one could call is left out. ``provider`` is as of ``find``."""
        return list(self.each_model(price_id, at, provider=provider))

    def each_model(
        self, price_id: str | None, at: float, *, provider: str | None = None
    ) -> Iterator[CatalogueModel]:
        """The same one by one: to compile hundreds of prices takes a while, once."""
        if price_id is None or (shelf := self._shelf(price_id)) is None:
            return
        for listing in shelf[1]:
            name = _callable_name(listing.model)
            if name is not None:
                yield self._catalogued(provider, name, listing, at)

    def describe(
        self, price_id: str | None, model: str, at: float, *, provider: str | None = None
    ) -> CatalogueModel:
        """One model by any of its names, with what is known of it. It is searched for every time
        and not remembered: a catalogue of hundreds is not to push out what calls look up."""
        listing = None
        if price_id is not None and len(model) <= LONGEST_NAME:
            listing = self._search(price_id, model.lower())
            if listing is None and (named := self._behind.get(provider or "")) is not None:
                listing = self._search(price_id, named.lower())
        return self._catalogued(provider, model, listing, at)

    def _catalogued(
        self, provider: str | None, name: str, listing: Listing | None, at: float
    ) -> CatalogueModel:
        if provider is not None and (provider, name) in self._configured:
            price = self._configured[provider, name]
        else:
            price = None if listing is None else listing.price(at)
        rates = Rates() if price is None else price.rates
        model = None if listing is None else listing.model
        return CatalogueModel(
            id=name,
            name=model.name if model else None,
            context_window=model.context_window if model else None,
            input=_base(rates.input),
            output=_base(rates.output),
            cached=_base(rates.cache_read),
            cache_write=_base(rates.cache_write),
            deprecated=model.deprecated if model else None,
        )

    def _listing(self, price_id: str, model: str) -> Listing | None:
        key = (price_id, model)
        if key not in self._found:
            if len(self._found) >= REMEMBERED:
                del self._found[next(iter(self._found))]
            self._found[key] = self._search(price_id, model.lower())
        return self._found[key]

    def _search(self, price_id: str, name: str) -> Listing | None:
        """By the name, then by the name with its date in dashes: some routers write
        ``-20251211`` where the provider writes ``-2025-12-11``."""
        shelf = self._shelf(price_id)
        if shelf is None:
            return None
        for spelling in dict.fromkeys((name, _COMPACT_DATE.sub(_dashed, name))):
            for shelf_id in (price_id, *shelf[0].fallback):
                if listing := self._match(shelf_id, spelling):
                    return listing if shelf_id == price_id else listing.without_variants()
        return None

    def _match(self, price_id: str, name: str) -> Listing | None:
        shelf = self._shelf(price_id)
        listings = shelf[1] if shelf else []
        return next((one for one in listings if one.model.match.matches(name)), None)

    def _shelf(self, price_id: str) -> tuple[Provider, list[Listing]] | None:
        if price_id not in self._book.providers:
            return None
        if price_id not in self._shelves:
            provider = msgspec.json.decode(self._book.providers[price_id], type=Provider)
            listings = [Listing(one, self._source, self._book.date) for one in provider.models]
            self._shelves[price_id] = (provider, listings)
        return self._shelves[price_id]


def shipped() -> bytes:
    """The content of the ``prices.json`` that the package ships. (Reading it by way of
    ``importlib.resources`` would bring archives and temporary files into every server.)"""
    found = get_data(__package__, "prices.json")
    assert found is not None  # only a loader that gives out no data has none
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
    """What a client calls the model: its id, or where that is only a label, the first whole name
    in its rule."""
    if model.match.matches(model.id.lower()):
        return model.id
    clauses = [model.match, *(model.match.any_of or ())]
    return next((clause.equals for clause in clauses if clause.equals is not None), None)


def _base(rate: Rate | None) -> Decimal | None:
    return rate.base if isinstance(rate, Tiered) else rate


_COMPACT_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?![^:-])")


def _dashed(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        return f"-{date(int(year), int(month), int(day))}"
    except ValueError:
        return found[0]
