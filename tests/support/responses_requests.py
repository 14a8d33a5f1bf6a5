"""Requests to the adapter of the Responses API, and the bodies and transformations that it makes of
them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.openai_responses.provider import PROVIDER
from headway.types import ChatRequest, Target

TARGET = Target(provider="responses", base_url="https://api.openai.com/v1", api_key="sk-x")
HELLO = [{"role": "user", "content": "Hello"}]
SAID = {"type": "message", "role": "user", "content": "Hello"}
FORMAT = "openai-responses-v1"


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def request(
    model: str = "gpt-4o",
    messages: Any = HELLO,
    stream: bool = False,
    uses_default_parameters: bool = False,
    **parameters: Any,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters={name: raw(value) for name, value in parameters.items()},
        stream=stream,
        uses_default_parameters=uses_default_parameters,
    )


def sent(asked: ChatRequest, **options: Any) -> Any:
    adapted, _ = PROVIDER.adapt(asked)
    target = msgspec.structs.replace(TARGET, options=options)
    return json.loads(PROVIDER.encode_request(adapted, target).body)


def transformations(asked: ChatRequest) -> list[str]:
    return [str(each) for each in PROVIDER.adapt(asked)[1]]


def items(*messages: Any, **parameters: Any) -> Any:
    return sent(request(messages=messages, **parameters))["input"]


def call(number: int, name: str = "weather") -> Any:
    function = {"name": name, "arguments": "{}"}
    return {"id": f"call_{number}", "type": "function", "function": function}
