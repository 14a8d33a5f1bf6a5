"""The parameters of a request while they are converted to Anthropic's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.providers.anthropic.models import model_rules
from headway.providers.request_draft import RequestDraft
from headway.providers.wire_formats import ANTHROPIC
from headway.types import ChatRequest


class AnthropicDraft(RequestDraft):
    """A draft with the model's rules and the instructions to add to the system prompt."""

    def __init__(self, request: ChatRequest, title: str = ANTHROPIC.title) -> None:
        super().__init__(request)
        self.title = title
        """The name of the API in transformations."""
        self.rules = model_rules(request.model)
        self.instructions: list[str] = []
        """Sentences for the system prompt, where the API has no field for a parameter."""

    def take_object(self, name: str) -> Mapping[str, Any]:
        """Remove the parameter and return it. Raises msgspec.ValidationError if it is no object."""
        raw = self.parameters.pop(name, None)
        return {} if raw is None else msgspec.json.decode(raw, type=dict[str, Any])

    def set_output_config(self, name: str, value: Any) -> None:
        """Set one field of ``output_config``, unless the client set it."""
        self.put("output_config", {name: value, **self.value("output_config", {})})
