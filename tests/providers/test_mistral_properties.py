"""Mistral's wire: there and back, whatever is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, note, settings

from chat_requests import Asked, asking, check_messages, check_parameters, parsed, sent
from headway.providers.mistral import PROVIDER
from headway.types import Target

EXAMPLES = 100
MODELS = ("mistral-large-latest", "magistral-medium-2509")
TARGET = Target(provider="mistral", base_url="https://api.mistral.ai/v1", api_key="k")
RENAMED = {
    "max_completion_tokens": ("max_tokens",),
    "seed": ("random_seed",),
    "reasoning": ("reasoning_effort",),
}


# --- Requests -------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES)
@given(asked=asking(MODELS))
def test_what_is_asked_arrives_or_is_told(asked: Asked) -> None:
    found = sent(PROVIDER, asked, TARGET)
    note(str(found))
    check_parameters(asked, found, RENAMED)
    assert parsed(found.body["model"]) == asked.request.model
    assert found.body.get("stream") == ("true" if asked.request.stream else None)
    assert "stream_options" not in found.body
    messages = parsed(asked.messages)
    got = [heard(message) for message in parsed(found.body["messages"])]
    thoughts = {"reasoning": "reasoning_content"}
    check_messages([spoken(message) for message in messages], found, got, thoughts)


def heard(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message on Mistral's wire as OpenAI's format has it."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    parts = [_heard_part(part) for part in content]
    if parts and parts[0]["type"] == "thinking":
        thought = "".join(piece["text"] for piece in parts[0]["thinking"])
        return {**message, "content": parts[1:], "reasoning_content": thought}
    return {**message, "content": parts}


def _heard_part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if part["type"] == "file":
        return {"type": "file", "file": {"file_id": part["file_id"]}}
    if part["type"] != "document_url":
        return part
    file = {"file_data": part["document_url"]}
    if "document_name" in part:
        file["filename"] = part["document_name"]
    return {"type": "file", "file": file}


def spoken(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message with a thought has a list of contents; a thought of nothing is none."""
    said = {k: v for k, v in message.items() if v or k not in ("reasoning", "reasoning_content")}
    content = message.get("content")
    if not {"reasoning", "reasoning_content"}.isdisjoint(said) and not isinstance(content, list):
        said["content"] = [{"type": "text", "text": content}] if content else []
    return said
