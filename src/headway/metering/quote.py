"""The price of a call, or the reason why it is unknown."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from headway.metering.price import Price

Conditions = Mapping[str, str]
"""What decides the price besides the model and the time: name -> value."""
NO_CONDITIONS: Conditions = {}


class Quote(Struct, frozen=True, gc=False):
    """Exactly one of the two."""

    price: Price | None
    reason: str | None = None
    """Why the price is unknown."""


def no_price(model: str, condition: str | None = None, value: str | None = None) -> str:
    """The reason where there is no price for a model, or none for it under a condition."""
    if condition is None:
        return f"no price for the model {model}"
    return f"no price for {condition.replace('_', ' ')} {value} of {model}"
