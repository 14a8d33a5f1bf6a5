"""The ``metrics`` object of a reply: the order of the fields is the order on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from headway.metering.line_items import LineItems
from headway.metering.timing import Timing
from headway.types import Usage

TokensSource = Literal["reported", "counted", "estimated"]
"""``reported`` by the provider; ``counted`` with a tokenizer over the whole response; ``estimated``
over the part of it that arrived."""


class PriceOrigin(Struct, frozen=True, gc=False):
    """The price that a cost was computed with."""

    source: str
    """``genai-prices 0.2.3``, or ``configured``."""
    date: str | None = None
    """ISO date since which the price is in force; where that is unknown, the date of the data."""
    model: str | None = None
    """The entry that matched the model's name."""
    tiered: bool = False
    """The price depends on the number of input tokens."""
    conditions: tuple[str, ...] = ()
    """What else the price depends on and was the case, such as ``service_tier: flex``."""


CostSource = Literal["provider", "computed"]
"""Who says what the call cost: the provider, or the gateway with its prices."""


class Cost(Struct, frozen=True, gc=False):
    """An exact amount in US dollars, the origin of the price used, and the lines of the bill."""

    usd: Decimal
    price: PriceOrigin
    items: LineItems = ()
    """They add up to ``usd``."""


class CallCost(Struct, frozen=True, gc=False):
    """The cost of one call. None is unknown."""

    usd: Decimal | None = None
    source: CostSource | None = None
    computed: Cost | None = None
    unknown_reason: str | None = None
    """Why ``computed`` is None."""
    conditions: Mapping[str, str] = {}
    """Under which another price than the standard one applies."""

    @property
    def compared_usd(self) -> Decimal | None:
        """The gateway's own computation, where ``usd`` is the provider's."""
        return self.computed.usd if self.computed and self.source == "provider" else None


class Metrics(Struct, frozen=True, gc=False):
    """Tokens, US dollars, seconds. None is unknown, never zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    time_to_first_token_s: float | None = None
    inter_token_latency_s: float | None = None
    tokens_per_second: float | None = None

    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    inter_token_latency_p50_s: float | None = None
    inter_token_latency_p95_s: float | None = None
    inter_token_latency_max_s: float | None = None
    time_to_first_byte_s: float | None = None
    gateway_overhead_s: float | None = None
    attempts: int = 1
    tokens_source: TokensSource | None = None
    price: PriceOrigin | None = None
    cost_source: CostSource | None = None
    cost_computed_usd: float | None = None
    cost_unknown_reason: str | None = None
    model: str | None = None
    """The model that was asked for."""
    deployment: str | None = None
    """The provider's name of the model that answered."""


def measure(
    timing: Timing,
    usage: Usage,
    tokens_source: TokensSource | None,
    cost: CallCost,
    overhead_s: float | None,
    attempts: int,
    model: str | None = None,
    deployment: str | None = None,
) -> Metrics:
    """The metrics of one response. ``cost_usd`` is the float nearest to ``cost.usd``."""
    input_tokens, output_tokens, latency = usage.input_tokens, usage.output_tokens, timing.latency_s
    compared = cost.compared_usd
    return Metrics(  # by position: keyword arguments take three times as long
        input_tokens,
        output_tokens,
        # Both already include cached and reasoning tokens.
        None if input_tokens is None or output_tokens is None else input_tokens + output_tokens,
        None if cost.usd is None else float(cost.usd),
        latency,
        timing.time_to_first_token_s,
        timing.inter_token_latency_s,
        output_tokens / latency if output_tokens is not None and latency else None,
        usage.reasoning_tokens,
        usage.cache_read_tokens,
        timing.inter_token_latency_p50_s,
        timing.inter_token_latency_p95_s,
        timing.inter_token_latency_max_s,
        timing.time_to_first_byte_s,
        overhead_s,
        attempts,
        tokens_source,
        None if cost.computed is None else cost.computed.price,
        cost.source,
        None if compared is None else float(compared),
        cost.unknown_reason,
        model,
        deployment,
    )
