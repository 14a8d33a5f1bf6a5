"""Requests to Amazon Bedrock, and the values that their tests share."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from msgspec import Raw

from headway.providers.bedrock.provider import PROVIDER
from headway.types import ChatRequest, Target

CLAUDE = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
B64 = b64encode(b"bytes").decode()
PNG = f"data:image/png;base64,{B64}"
MARK = {"type": "ephemeral"}
POINT = {"cachePoint": {"type": "default"}}


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def chat(model: str, messages: Any, **parameters: Any) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters={name: raw(value) for name, value in parameters.items()},
    )


def sent(request: ChatRequest, **options: Any) -> Any:
    """The body of the request, after ``adapt``."""
    options = {"region": "us-east-1", **options}
    target = Target(provider="bedrock", base_url=PROVIDER.base_url or "", options=options)
    return json.loads(PROVIDER.encode_request(PROVIDER.adapt(request)[0], target).body)
