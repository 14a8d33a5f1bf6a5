"""What requests may ask of their routing, in the fields that OpenRouter's clients send."""

from __future__ import annotations

from typing import Literal

from headway.server.openapi.schemas.base import OpenShape, Shape


class HighestPrice(Shape):
    prompt: float | None = None
    """Dollars per million tokens of the input."""
    completion: float | None = None
    """Dollars per million tokens of the output."""


class ProviderPreferences(Shape):
    """Which targets may answer, and in which order. Providers are named by their configured names
    or by their kinds."""

    order: list[str] | None = None
    """These first, in this order."""
    only: list[str] | None = None
    """No others."""
    ignore: list[str] | None = None
    """None of these."""
    sort: Literal["price", "latency", "throughput"] | None = None
    """The cheapest first, the one with the shortest time to the first token, or the one with the
    most tokens a second."""
    max_price: HighestPrice | None = None
    """No target that costs more, or whose price is unknown."""
    allow_fallbacks: bool | None = True
    """False: only the first target is tried, or only those in `order`."""
    require_parameters: bool | None = False
    """No target that would not get all parameters of the request."""


class RoutedRequest(OpenShape):
    models: list[str] | None = None
    """Models to try after `model` where it fails before its first content."""
    provider: ProviderPreferences | None = None
    """Which targets may answer. A provider that takes `models` and `provider` itself gets both as
    they are."""
