"""Remove or rename the parameters that OpenAI's reasoning models reject
(platform.openai.com/docs/guides/reasoning)."""

from __future__ import annotations

from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai.models import is_reasoning_model, samples_without_effort
from headway.providers.transformations import dropped, renamed, visible_to_client
from headway.types import NO_RAW, ChatRequest, Transformation

SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


def adapt(request: ChatRequest) -> Adapted:
    if not is_reasoning_model(request.model):
        return request, ()
    parameters = dict(request.parameters)
    transformations: list[Transformation] = []
    if request.uses_default_parameters or not samples_without_effort(request.model):
        rejected = [name for name in SAMPLING if parameters.pop(name, None) is not None]
        reason = f"unsupported by {request.model}"
        transformations = [dropped(name, reason) for name in rejected]
    if "max_tokens" in parameters:
        limit = parameters.pop("max_tokens")
        if bytes(parameters.get("max_completion_tokens", NO_RAW)) in (b"", b"null"):
            parameters["max_completion_tokens"] = limit
        transformations.append(renamed("max_tokens", "max_completion_tokens"))
    adapted = replace(request, parameters=parameters)
    return adapted, visible_to_client(request, transformations)
