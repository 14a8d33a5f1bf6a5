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

    def __str__(self) -> str:
        """All digits, no exponent."""
        return f"{self.usd:f}"


class Metrics(Struct, frozen=True, kw_only=True, gc=False):
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
    return Metrics(
        input_tokens=taken,
        output_tokens=read,
        # Cached and reasoning tokens are within the two already.
        total_tokens=None if taken is None or read is None else taken + read,
        cost_usd=None if cost is None else float(cost.usd),
        latency_s=latency,
        time_to_first_token_s=timing.time_to_first_token_s,
        inter_token_latency_s=timing.inter_token_latency_s,
        tokens_per_second=read / latency if read is not None and latency else None,
        reasoning_tokens=usage.reasoning_tokens,
        cached_tokens=usage.cache_read_tokens,
        inter_token_latency_p50_s=timing.inter_token_latency_p50_s,
        inter_token_latency_p95_s=timing.inter_token_latency_p95_s,
        inter_token_latency_max_s=timing.inter_token_latency_max_s,
        time_to_first_byte_s=timing.time_to_first_byte_s,
        gateway_overhead_s=overhead_s,
        attempts=attempts,
        tokens_source=tokens_source,
        price=None if cost is None else cost.price,
    )
