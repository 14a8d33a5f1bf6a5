"""What one call cost: as the provider reports it, and as the prices give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from headway.metering.metrics import CallCost
from headway.metering.price import UnknownCostError
from headway.metering.prices import PriceBook
from headway.metering.quote import NO_CONDITIONS, Conditions
from headway.types import Usage

STANDARD_VALUES = frozenset(
    ("", "auto", "default", "global", "not_available", "on_demand", "standard", "unspecified")
)
"""Values of conditions, in lower case, with which the standard price applies."""


PROCESSING, BATCH = "processing", "batch"
"""The condition of what is processed in batches, and its value. Responses name it as a tier."""


class BilledCall(Struct, frozen=True, gc=False):
    """A call, for its price."""

    price_id: str | None
    """The provider's id in the price data."""
    provider: str
    """The configured provider's name."""
    model: str
    """The model that was asked for."""
    answered: str | None
    """The provider's name of the model that answered."""
    at: float
    """Unix seconds."""
    service_tier: str | None
    endpoint_conditions: Conditions = NO_CONDITIONS
    """Those that follow from the address and the options of the call."""


def find_cost(prices: PriceBook, call: BilledCall, usage: Usage) -> CallCost:
    """The provider's own amount takes precedence over the computed one."""
    tier, endpoint, conditions = call.service_tier, call.endpoint_conditions, NO_CONDITIONS
    if endpoint or usage.price_conditions or (tier and tier not in STANDARD_VALUES):
        conditions = _conditions(tier, endpoint, usage.price_conditions)
    quote = prices.quote(
        call.price_id, call.model, call.at, call.provider, call.answered, conditions
    )
    computed, reason = None, quote.reason
    if quote.price is not None:
        try:
            computed = quote.price.charge(usage)
        except UnknownCostError as unknown:
            reason = str(unknown)
    if usage.cost_usd is not None:
        return CallCost(usage.cost_usd, "provider", computed, reason, conditions)
    if computed is None:
        return CallCost(None, None, None, reason, conditions)
    return CallCost(computed.usd, "computed", computed, None, conditions)


def _conditions(tier: str | None, endpoint: Conditions, reported: Conditions) -> Conditions:
    """Those under which another price than the standard one applies, in lower case."""
    named = {PROCESSING if tier == BATCH else "service_tier": tier} if tier else {}
    return dict(_other_than_standard({**endpoint, **named, **reported}))


def _other_than_standard(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        lower = value.lower().removeprefix("service_tier_")  # the name of an enumeration's value
        if lower not in STANDARD_VALUES:
            yield name, lower
