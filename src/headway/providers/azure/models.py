"""The model behind a deployment, whose name is the customer's choice."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.types import ChatRequest


def adapt_deployment(adapt: Callable[[ChatRequest], Adapted], request: ChatRequest) -> Adapted:
    """``adapt`` by the rules for the model that the option ``model_name`` names, or that the
    deployment is named after."""
    name = str(request.options.get("model_name") or request.model)
    adapted, transformations = adapt(replace(request, model=name))
    return replace(adapted, model=request.model), transformations
