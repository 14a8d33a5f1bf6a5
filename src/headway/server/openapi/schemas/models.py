"""The shapes of the lists of models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from headway.server.openapi.schemas.base import ErrorDetail, Shape


class ModelPrices(Shape):
    """US dollars per million tokens. Null is unknown, or not priced on its own."""

    input: float | None
    """Dollars per million tokens in; of a price in tiers the lowest."""
    output: float | None
    """Dollars per million tokens out."""
    cached: float | None
    """Dollars per million tokens read from the provider's cache."""
    cache_write: float | None
    """Dollars per million tokens written to it."""


class ModelDetails(Shape):
    """What is known of a model. Null is unknown; modalities that nobody told are left out."""

    context_window: int | None
    """Tokens."""
    input_modalities: list[str] = Field(default=[])
    """`text`, `image`, `audio`, ..., as the provider's own list says."""
    output_modalities: list[str] = Field(default=[])
    """As the provider's own list says."""
    prices: ModelPrices | None
    """What `cost_usd` is computed with. Null: no price is known, and the cost is null."""
    listed_prices: ModelPrices | None = None
    """What the provider's own list says, where it says one."""
    refuses: list[str]
    """Parameters of `/api/engine/parameters` that the provider takes and this model does not."""
    deprecated: bool | None
    """Whether the provider has announced its end."""


class ProviderModels(Shape):
    name: str
    """The provider's name for people."""
    models: list[str]
    """Names to send as `model`."""
    details: dict[str, ModelDetails]
    """What is known of each, by name."""
    source: Literal["configuration", "bundled", "provider"]
    """Whose list it is: the configuration's, that of the data that the gateway ships, or the
    provider's own."""
    error: ErrorDetail | None = None
    """Why the provider's own list could not be had."""


class ModelsByProvider(RootModel[dict[str, ProviderModels]]):
    """Models by the configured name of their provider."""
