"""Requests to Anthropic's adapter, and the bodies and transformations that it makes of them."""

from __future__ import annotations

import json
from typing import Any

from headway.providers.anthropic.provider import PROVIDER
from headway.types import ChatRequest, Target
from support import adapter_requests

HI = [{"role": "user", "content": "Hi"}]
CACHE_CONTROL = {"type": "ephemeral", "ttl": "1h"}
TARGET = Target(provider="anthropic", base_url="https://api.anthropic.com", api_key="sk-planted")
FUNCTION = {"name": "f", "description": "d", "parameters": {"properties": {"a": {}}}}
TOOL = {"type": "function", "function": FUNCTION}


def chat(messages: Any = HI, model: str = "claude-sonnet-4-5", **more: Any) -> ChatRequest:
    return adapter_requests.chat(model, messages, **more)


def sent(request: ChatRequest) -> tuple[dict[str, Any], list[str]]:
    """The body, and the transformations as texts."""
    adapted, transformations = PROVIDER.adapt(request)
    body = json.loads(PROVIDER.encode_request(adapted, TARGET).body)
    return body, [str(each) for each in transformations]


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": content, **more}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def call(call_id: str, name: str, arguments: str = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}
