"""Requests to Gemini and its responses, for the tests of its adapter."""

from __future__ import annotations

import json
from typing import Any

from headway.events import Event, Started
from headway.providers.gemini.provider import PROVIDER
from headway.types import ChatRequest, Frame, Target
from support.adapter_requests import chat

FLASH = "gemini-2.5-flash"
TARGET = Target(provider="gemini", base_url="https://g.test/v1beta", api_key="key")
HI = [{"role": "user", "content": "Hi"}]
HI_CONTENT = {"role": "user", "parts": [{"text": "Hi"}]}
FORMAT = "google-gemini-v1"
SIGNED = {"type": "reasoning.encrypted", "data": "c2ln", "format": FORMAT}
START = Started("r1", "gemini-x")

# --- Requests -------------------------------------------------------------------------------------


def request(messages: Any = HI, model: str = FLASH, **options: Any) -> ChatRequest:
    return chat(model, messages, **options)


def body(messages: Any = HI, **options: Any) -> Any:
    """What the encoder sends, without ``adapt``."""
    return json.loads(PROVIDER.encode_request(request(messages, **options), TARGET).body)


def contents(*messages: Any, **options: Any) -> Any:
    """The contents for messages that follow one of the user."""
    return body([*HI, *messages], **options)["contents"][1:]


def user(*parts: Any) -> Any:
    return {"role": "user", "content": list(parts)}


def called(*calls: tuple[str, str, str], **fields: Any) -> Any:
    """An assistant's message with tool calls: (id, name, arguments)."""
    tool_calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": tool_calls, **fields}


def result(call_id: str, content: Any, **fields: Any) -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **fields}


def adapt(
    parameters: dict[str, Any],
    model: str = FLASH,
    messages: Any = HI,
    provider: Any = PROVIDER,
    uses_default_parameters: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """The adapted parameters, and the transformations."""
    given = chat(model, messages, uses_default_parameters, **parameters)
    adapted, transformations = provider.adapt(given)
    assert adapted.messages == given.messages
    kept = {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}
    return kept, [str(each) for each in transformations]


# --- Responses ------------------------------------------------------------------------------------


def answer(*parts: Any, finish: Any = "STOP", **fields: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, **fields}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x"}


def whole(response: Any, provider: Any = PROVIDER) -> list[Event]:
    events: list[Event] = provider.decode_response(json.dumps(response).encode())
    return events


def streamed(*chunks: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(chunk).encode(), None, b"") for chunk in chunks]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]
