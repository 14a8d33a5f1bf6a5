"""The lists of models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from headway.server.openapi.schemas.base import ErrorDetail, Shape


class ModelPrices(Shape):
    """US dollars per million tokens. Null is unknown, or without a price of its own."""

    input: float | None
    """Dollars per million input tokens; the first tier of a tiered price."""
    output: float | None
    """Dollars per million output tokens."""
    cached: float | None
    """Dollars per million tokens read from the provider's cache."""
    cache_write: float | None
    """Dollars per million tokens written to it."""


class ModelDetails(Shape):
    """What is known of a model. Null is unknown; a modality list that is unknown is left out."""

    context_window: int | None
    """Tokens."""
    input_modalities: list[str] = Field(default=[])
    """`text`, `image`, `audio`, ..., as the provider's own list says."""
    output_modalities: list[str] = Field(default=[])
    """As the provider's own list says."""
    prices: ModelPrices | None
    """The prices that `cost_usd` is computed with. Null: unknown, and the cost is null."""
    listed_prices: ModelPrices | None = None
    """The prices in the provider's own list, if it has any."""
    refuses: list[str]
    """Parameters of `/api/engine/parameters` that the provider takes and this model rejects."""
    deprecated: bool | None
    """Whether the provider has announced that it will be removed."""


class ProviderDetails(Shape):
    name: str
    """The provider's name to show."""
    kind: str
    """What the configuration calls its API."""
    has_key: bool | None
    """Whether the gateway has a key or credentials for it. Null: it needs none, or they may be on a
    metadata server."""
    key_variable: str | None
    """The environment variable that holds the key by convention."""
    is_configured: bool
    """Whether the configuration names it, or has its address."""


class ProvidersByName(RootModel[dict[str, ProviderDetails]]):
    """Providers by the name that the chat route takes."""


class ProviderModels(Shape):
    name: str
    """The provider's name to show."""
    models: list[str]
    """Names to send as `model`."""
    details: dict[str, ModelDetails]
    """What is known of each model, by name."""
    source: Literal["configuration", "bundled", "provider"]
    """Where the list comes from: the configuration, the data bundled with the gateway, or the
    provider itself."""
    error: ErrorDetail | None = None
    """Why the provider's own list could not be fetched."""


class ModelsByProvider(RootModel[dict[str, ProviderModels]]):
    """Models by the configured name of their provider."""
