"""The prices of simulated models, in US dollars per million tokens: each has its own."""

from __future__ import annotations

from decimal import Decimal

from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook
from simulation.schedules import MODELS, MOST_PROVIDERS

RATES = {
    (f"p{number}", model): (Decimal(1 + number), Decimal(2 + 3 * at))
    for number in range(MOST_PROVIDERS)
    for at, model in enumerate(MODELS)
}
"""Provider and model -> input and output."""
PRICES = PriceBook.load(
    b'{"source":"none","version":"0","date":"2026-01-01","providers":{}}',
    {
        f"p{number}": {
            model: ConfiguredPrice(
                input=RATES[f"p{number}", model][0], output=RATES[f"p{number}", model][1]
            )
            for model in MODELS
        }
        for number in range(MOST_PROVIDERS)
    },
)
MILLION = Decimal(1_000_000)


def price_of(provider: str, model: str, input_tokens: int, output_tokens: int) -> Decimal:
    given, made = RATES[provider, model]
    return (input_tokens * given + output_tokens * made) / MILLION
