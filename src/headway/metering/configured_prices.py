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


class ConfiguredPrice(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. A rate that is omitted is unknown, except that cache reads and
    writes, images and video in the input then cost the input rate."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


Overrides = Mapping[str, Mapping[str, ConfiguredPrice]]
"""Configured provider's name -> model -> price."""


class ConfiguredModel:
    """One model with a configured price. It holds for the configured address, whatever its region;
    for other conditions, such as a service tier, it does not."""

    __slots__ = ("_model", "_price")

    is_constant = True

    def __init__(self, model: str, rates: ConfiguredPrice) -> None:
        self._model = model
        self._price = _compile(model, rates)

    def quote(self, at: float, conditions: Conditions = NO_CONDITIONS) -> Quote:
        if self._price is None:
            return Quote(None, no_price(self._model))
        for name, value in conditions.items():
            if name != REGION:
                return Quote(None, no_price(self._model, name, value))
        return Quote(self._price)


def _compile(model: str, price: ConfiguredPrice) -> Price | None:
    rates = Rates(
        input=price.input,
        output=price.output,
        cache_read=price.cached,
        cache_write=price.cache_write,
    )
    return compile_price(rates, PriceOrigin(CONFIGURED, None, model), ONE_RATE)
