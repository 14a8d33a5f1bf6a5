"""Shared by the tests with the providers' own SDKs: a conversation in OpenAI's format with a system
message, an image, a tool call and its result; and functions to send it and to read a response."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.providers.base import Provider
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, HttpRequest, Target
from support.canned_responses import Played
from support.scripted_server import answer

IMAGE = b"a picture"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
HELLO = [{"role": "user", "content": "Hello"}]
CONVERSATION = [
    {"role": "system", "content": "Be kind."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "See:"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,YSBwaWN0dXJl"}},
        ],
    },
    {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Bonn"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
]
TOOLS = [
    {
        "type": "function",
        "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA},
    }
]
THE_TOOL = {"type": "function", "function": {"name": "weather"}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}


def encoded(
    provider: Provider,
    target: Target,
    model: str,
    messages: Any = HELLO,
    *,
    stream: bool = False,
    **parameters: Any,
) -> HttpRequest:
    request = ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=stream,
    )
    return provider.encode_request(provider.adapt(request)[0], target)


def served(played: Played) -> bytes:
    return answer(played.body, headers=[("content-type", played.content_type)])


def read(provider: Provider, played: Played, *, stream: bool) -> ResponseAccumulator:
    """As our decoder reads it."""
    found = ResponseAccumulator()
    if not stream:
        found.add(provider.decode_response(played.body))
        return found
    framer, state = provider.framer(), dict[str, Any]()
    for frame in [*framer.feed(played.body), *framer.end()]:
        found.add(provider.decode_event(frame, state))
    return found


def calls(found: ResponseAccumulator) -> list[tuple[str, str, Any]]:
    """Id, name and arguments of the first choice's calls."""
    tools = found.choices[0].tools.values()
    return [(tool.id, tool.name, json.loads("".join(tool.arguments))) for tool in tools]
