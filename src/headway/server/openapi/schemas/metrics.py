"""The measurements of a call."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.server.openapi.schemas.base import Shape


class Price(Shape):
    """Where the price behind `cost_usd` comes from."""

    source: str
    """The price list and its version, or `configured`."""
    date: str | None
    """ISO 8601 date: the first day of the price, or the date of the list if that is unknown."""
    model: str | None
    """The entry of the list that matched the model."""
    tiered: bool
    """Whether the price depends on the number of input tokens."""
    conditions: list[str] = Field(default_factory=list)
    """What else the price depends on and was the case: `service_tier: flex`."""


class Metrics(Shape):
    """Measurements of the call. Null is unknown, never zero. Times are seconds on a monotonic
    clock from the moment when the whole request has been read."""

    input_tokens: int | None
    """Tokens; the provider's count, else counted with the model's tokenizer."""
    output_tokens: int | None
    """Tokens, reasoning included, as the provider bills them."""
    total_tokens: int | None
    """Tokens: input plus output."""
    cost_usd: float | None
    """US dollars: as the provider reports them, else by the price in force at the time; cached,
    cache-write, reasoning and tiered prices included. Null where no price is known."""
    latency_s: float | None
    """Seconds to the last byte of the provider's answer."""
    time_to_first_token_s: float | None
    """Seconds to the first event that carries content: text, reasoning or bytes of a tool call."""
    inter_token_latency_s: float | None
    """Seconds: the mean gap between content events. Null with fewer than two."""
    tokens_per_second: float | None
    """Tokens a second: `output_tokens / latency_s`."""
    reasoning_tokens: int | None = None
    """Tokens: the part of `output_tokens` spent on reasoning."""
    cached_tokens: int | None = None
    """Tokens: the part of `input_tokens` read from the provider's cache."""
    inter_token_latency_p50_s: float | None = None
    """Seconds: the median gap between content events."""
    inter_token_latency_p95_s: float | None = None
    """Seconds: the 95th percentile of the gaps between content events."""
    inter_token_latency_max_s: float | None = None
    """Seconds: the longest gap between content events."""
    time_to_first_byte_s: float | None = None
    """Seconds to the first byte of the provider's answer."""
    gateway_overhead_s: float | None = None
    """Seconds of the gateway's own work, without waiting for the provider."""
    attempts: int | None = None
    """The number of requests to providers that this answer took."""
    tokens_source: Literal["reported", "counted", "estimated"] | None = None
    """`reported` by the provider, `counted` by the gateway's tokenizer over the whole answer, or
    `estimated` by it over the part that arrived."""
    price: Price | None = None
    """The price that the gateway computed with."""
    cost_source: Literal["provider", "computed"] | None = None
    """`provider` where the provider reported `cost_usd`, else `computed`."""
    cost_computed_usd: float | None = None
    """US dollars as the gateway computes them, where the provider reported `cost_usd`."""
    cost_unknown_reason: str | None = None
    """Why the gateway could not compute the cost."""
    model: str | None = None
    """The model that was asked for."""
    deployment: str | None = None
    """The provider's name of the model that answered, by which the cost is computed."""
