"""Requests in Anthropic's format, decoded and converted."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, DecodedRequest
from headway.types import ChatRequest

DIALECT = AnthropicMessages()
HELLO = [{"role": "user", "content": "Hi"}]
MARK = {"type": "ephemeral"}
SIGNED_BY_GOOGLE = [
    {"type": "reasoning.encrypted", "data": "s", "format": "google-gemini-v1", "id": "c1"}
]


def decode(*headers: tuple[bytes, bytes], query: str = "", **fields: Any) -> DecodedRequest:
    body = json.dumps({"model": "openai/m", "messages": HELLO, **fields}).encode()
    return DIALECT.decode(ClientRequest("", headers, body, query))


def convert(**fields: Any) -> tuple[list[Any], dict[str, Any], list[str]]:
    """Messages, parameters, and what was noted."""
    request = decode(**fields).request
    assert isinstance(request, ChatRequest)
    converted, noted = DIALECT.convert_request(request)
    assert converted.native is None
    parameters = {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}
    return json.loads(bytes(converted.messages)), parameters, [str(each) for each in noted]
