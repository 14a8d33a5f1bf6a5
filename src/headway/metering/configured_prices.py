"""Prices from the configuration. They replace the whole price of the data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from headway.metering.metrics import PriceOrigin
from headway.metering.price import Price, compile_price
from headway.metering.price_data import OneRate, Rates
from headway.metering.quote import NO_CONDITIONS, Conditions, Quote, no_price
from headway.metering.surcharges import REGION

CONFIGURED = "configured"
ONE_RATE = OneRate(input=["image", "video"])


class ConfiguredRates(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens, ``web_searches`` per thousand. A rate that is omitted is
    unknown, except that cache reads and writes, images and video in the input then cost the input
    rate."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    web_searches: Decimal | None = None


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


def _compile(model: str, price: ConfiguredRates, conditions: tuple[str, ...] = ()) -> Price | None:
    rates = Rates(
        input=price.input,
        output=price.output,
        cache_read=price.cached,
        cache_write=price.cache_write,
        input_audio=price.input_audio,
        output_audio=price.output_audio,
        output_image=price.output_image,
        web_searches=price.web_searches,
    )
    origin = PriceOrigin(CONFIGURED, None, model, conditions=conditions)
    return compile_price(rates, origin, ONE_RATE)
