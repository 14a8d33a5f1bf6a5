"""A request's parameters while they are converted to Anthropic's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.providers.anthropic.models import model
from headway.providers.request_draft import RequestDraft
from headway.types import ChatRequest


class AnthropicDraft(RequestDraft):
    """A draft that knows the model's rules and the instructions to add to the prompt."""

    def __init__(self, request: ChatRequest) -> None:
        super().__init__(request)
        self.rules = model(request.model)
        self.instructions: list[str] = []
        """Sentences for the system prompt, where the wire has no field for a parameter."""

    def take_object(self, name: str) -> Mapping[str, Any]:
        """Remove the parameter and return it. Raises msgspec.ValidationError if it is no object."""
        raw = self.parameters.pop(name, None)
        return {} if raw is None else msgspec.json.decode(raw, type=dict[str, Any])

    def configure(self, name: str, value: Any) -> None:
        """Set one field of ``output_config``, unless the caller set it."""
        self.put("output_config", {name: value, **self.value("output_config", {})})
