"""The ``metrics`` object of a reply: the order of the fields is the order on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from headway.metering.meter import Timing
from headway.types import Usage

TokensSource = Literal["reported", "counted", "estimated"]
"""Who counted the tokens: the provider, our tokenizer over the whole answer, or our tokenizer over
the part of it that arrived."""


class PriceOrigin(Struct, frozen=True, gc=False):
    """Which price a cost was computed with."""

    source: str
    """``genai-prices 0.2.3``, or ``configured``."""
    date: str | None = None
    """ISO date: since when the price is in force where the data says, else of when the data is."""
    model: str | None = None
    """The entry that matched the model's name."""
    tiered: bool = False
    """The price depends on how many tokens went in."""


class Cost(Struct, frozen=True, gc=False):
    """An exact amount in US dollars, with the price that it was computed with."""

    usd: Decimal
    price: PriceOrigin


class Metrics(Struct, frozen=True, gc=False):
    """Tokens, dollars, seconds. None is unknown, never zero."""

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


def measure(
    timing: Timing,
    usage: Usage,
    tokens_source: TokensSource | None,
    cost: Cost | None,
    overhead_s: float | None,
    attempts: int,
) -> Metrics:
    """One answer's metrics. ``cost_usd`` is the nearest float; ``cost`` keeps the exact amount."""
    taken, read, latency = usage.input_tokens, usage.output_tokens, timing.latency_s
    return Metrics(  # in their order: names take three times as long
        taken,
        read,
        # Cached and reasoning tokens are within the two already.
        None if taken is None or read is None else taken + read,
        None if cost is None else float(cost.usd),
        latency,
        timing.time_to_first_token_s,
        timing.inter_token_latency_s,
        read / latency if read is not None and latency else None,
        usage.reasoning_tokens,
        usage.cache_read_tokens,
        timing.inter_token_latency_p50_s,
        timing.inter_token_latency_p95_s,
        timing.inter_token_latency_max_s,
        timing.time_to_first_byte_s,
        overhead_s,
        attempts,
        tokens_source,
        None if cost is None else cost.price,
    )
