"""Prices from the configuration. They replace the whole price of the data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from headway.metering.metrics import PriceOrigin
from headway.metering.price import Price, compile_price
from headway.metering.price_data import OneRate, Rate, Rates, Tiered
from headway.metering.quote import NO_CONDITIONS, Conditions, Quote, no_price
from headway.metering.surcharges import REGION

CONFIGURED = "configured"
ONE_RATE = OneRate(input=["image", "video"])


class ConfiguredTokenRates(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. A rate that is omitted is unknown, except that cache reads and
    writes, images and video in the input then cost the input rate, and reasoning the output's."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    input_video: Decimal | None = None
    cached_audio: Decimal | None = None
    cached_image: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    output_video: Decimal | None = None
    citations: Decimal | None = None


class ConfiguredRates(ConfiguredTokenRates, frozen=True, kw_only=True):
    requests: Decimal | None = None
    """US dollars per thousand, like the next three."""
    web_searches: Decimal | None = None
    file_searches: Decimal | None = None
    search_units: Decimal | None = None
    characters: Decimal | None = None
    """US dollars per million."""
    audio_hours: Decimal | None = None
    """US dollars per hour."""
    above: Mapping[int, ConfiguredTokenRates] = {}
    """What is different above a number of input tokens, for all tokens of the request."""


class ConfiguredPrice(ConfiguredRates, frozen=True, kw_only=True):
    tiers: Mapping[str, ConfiguredRates] = {}
    """By the value of the only condition of a call, such as its service tier."""


Overrides = Mapping[str, Mapping[str, ConfiguredPrice]]
"""Configured provider's name -> model -> price."""


class ConfiguredModel:
    """One model with a configured price. It holds for the configured address, whatever its region;
    for other conditions, such as a service tier, it does not, unless they have a price here."""

    __slots__ = ("_model", "_price", "_tiers")

    is_constant = True

    def __init__(self, model: str, rates: ConfiguredPrice) -> None:
        self._model = model
        self._price = _compile(model, rates)
        self._tiers = {
            name.lower(): _compile(model, tier, (name,)) for name, tier in rates.tiers.items()
        }

    def quote(self, at: float, conditions: Conditions = NO_CONDITIONS) -> Quote:
        price = self._price
        special = [(name, value) for name, value in conditions.items() if name != REGION]
        for name, value in special:
            price = self._tiers.get(value) if len(special) == 1 else None
            if price is None:
                return Quote(None, no_price(self._model, name, value))
        return Quote(None, no_price(self._model)) if price is None else Quote(price)


NAMES = {
    "cached": "cache_read",
    "cached_audio": "cache_audio_read",
    "cached_image": "cache_image_read",
}
"""Names in the price data, where they are others."""
OF_INPUT = frozenset({"cached", "cache_write"})
"""What costs the input rate where it has none of its own."""


def _compile(model: str, price: ConfiguredRates, conditions: tuple[str, ...] = ()) -> Price | None:
    rates = {
        NAMES.get(name, name): _tiered(name, price)
        for name in ConfiguredTokenRates.__struct_fields__
    }
    by_units = {
        name: getattr(price, name)
        for name in ConfiguredRates.__struct_fields__
        if name not in ConfiguredTokenRates.__struct_fields__ and name != "above"
    }
    origin = PriceOrigin(CONFIGURED, None, model, conditions=conditions)
    return compile_price(Rates(**rates, **by_units), origin, ONE_RATE)


def _tiered(name: str, price: ConfiguredRates) -> Rate | None:
    """The rate, with what it is above numbers of input tokens. One that is given only there is that
    of the input or the output below."""
    base: Decimal | None = getattr(price, name)
    steps = [
        (start, rate)
        for start, rates in sorted(price.above.items())
        if (rate := getattr(rates, name)) is not None
    ]
    if base is None and name in OF_INPUT:
        base = price.input
    if base is None and name == "reasoning":
        base = price.output
    return Tiered(base, steps) if steps and base is not None else getattr(price, name)
