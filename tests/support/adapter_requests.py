"""Chat requests for the tests of a provider's adapter, and what the adapter sends for them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.providers.base import Provider
from headway.types import ChatRequest, Target


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def chat(
    model: str,
    messages: Any,
    uses_default_parameters: bool = False,
    stream: bool = False,
    **parameters: Any,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters={name: raw(value) for name, value in parameters.items()},
        uses_default_parameters=uses_default_parameters,
        stream=stream,
    )


def sent_body(provider: Provider, target: Target, request: ChatRequest) -> Any:
    """The JSON body that reaches the provider, after ``adapt``."""
    return json.loads(provider.encode_request(provider.adapt(request)[0], target).body)


def transformations(provider: Provider, request: ChatRequest) -> list[str]:
    return [str(each) for each in provider.adapt(request)[1]]
