"""The parameters of a request while they are converted to Anthropic's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.anthropic.models import model_rules
from headway.providers.base import Adapted
from headway.providers.prompt_instructions import append_system_messages
from headway.providers.request_draft import MALFORMED, RequestDraft
from headway.providers.transformations import visible_to_client
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


def convert_draft(draft: AnthropicDraft, convert: Callable[[AnthropicDraft], None]) -> Adapted:
    """The request of ``draft`` after ``convert``. Raises RequestError for a request that is
    malformed in OpenAI's format."""
    request = draft.request
    try:
        convert(draft)
    except MALFORMED as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc
    messages = append_system_messages(request.messages, draft.instructions)
    adapted = replace(request, parameters=draft.parameters, messages=messages)
    return adapted, visible_to_client(request, draft.transformations)
