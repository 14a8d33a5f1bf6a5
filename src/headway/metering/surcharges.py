"""Surcharges by which a provider multiplies all token rates of a model, as it publishes them.

The price data has rates by model and service tier; that a provider adds a percentage for keeping a
call in a region it says once, for all models. What is not listed is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from headway.metering.price_data import Surcharge

REGION = "region"
"""The condition of calls to an endpoint that keeps them in a region."""


def surcharges_of(model: str, published: Iterable[Surcharge]) -> tuple[Surcharge, ...]:
    """Those that a model can have. ``model`` is its id in the price data."""
    return tuple(each for each in published if re.match(each.models, model))


def find_surcharge(
    candidates: Sequence[Surcharge], condition: str, value: str, day: date
) -> Surcharge | None:
    """The first that applies on that day."""
    return next(
        (
            each
            for each in candidates
            if each.condition == condition
            and (each.start is None or each.start <= day)
            and re.match(each.values, value)
        ),
        None,
    )
