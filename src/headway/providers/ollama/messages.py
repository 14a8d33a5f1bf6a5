"""OpenAI's messages as those of Ollama's /api/chat (docs.ollama.com/api/chat).

A message has one text, and a list of images in bare base64; the arguments of a tool call are an
object; a tool's result names the tool. Unknown fields pass through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.function_tools import Fields, decode_messages, parts_of
from headway.providers.ollama.content_blocks import MessageContent, has_text_file
from headway.providers.transformations import ONLY_ITS_PROVIDER, dropped, emulated
from headway.types import Transformation

RENAMED_ROLES = {"developer": "system"}
NOT_COPIED = frozenset(
    {
        "annotations", "audio", "cache_control", "content", "is_error", "name", "reasoning",
        "reasoning_content", "reasoning_details", "refusal", "role", "tool_calls",
    }
)  # fmt: skip
"""Fields of a message that Ollama does not know, or that are converted."""
UNSUPPORTED = "unsupported by Ollama"

_decode_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


def convert_messages(messages: Raw) -> list[Fields]:
    """Raises RequestError for content that Ollama cannot take."""
    tool_names: dict[str, str] = {}
    return [_convert(message, tool_names) for message in decode_messages(messages)]


def unsupported_content(messages: Raw) -> Iterator[Transformation]:
    """The transformations of content that does not reach the model, or in another form; some
    repeat."""
    for message in decode_messages(messages):
        if message.get("name") and message["role"] != "tool":
            yield dropped("messages[].name", UNSUPPORTED)
        if message.get("reasoning_details"):
            yield dropped("messages[].reasoning_details", ONLY_ITS_PROVIDER)
        for field in ("is_error", "audio"):
            if message.get(field):
                yield dropped(f"messages[].{field}", UNSUPPORTED)
        parts = parts_of(message.get("content"))
        if any(holder.get("cache_control") for holder in (message, *parts)):
            yield dropped("cache_control", UNSUPPORTED)
        if has_text_file(parts):
            yield emulated("messages[].content", "text files as part of the message's text")


def _convert(message: Fields, tool_names: dict[str, str]) -> Fields:
    content = MessageContent(message)
    text = "\n".join(content.texts) or message.get("refusal") or ""
    role = message["role"]
    converted: Fields = {"role": RENAMED_ROLES.get(role, role), "content": text}
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    if reasoning and role == "assistant":
        converted["thinking"] = reasoning
    if content.images:
        converted["images"] = content.images
    if message.get("tool_calls"):
        converted["tool_calls"] = [
            _convert_call(call, tool_names) for call in message["tool_calls"]
        ]
    if role == "tool":
        name = message.get("name") or tool_names.get(message.get("tool_call_id") or "")
        converted.update({"tool_name": name} if name else {})
    copied = {name: value for name, value in message.items() if name not in NOT_COPIED}
    return {**converted, **copied}


def _convert_call(call: Fields, tool_names: dict[str, str]) -> Fields:
    function = call["function"]
    tool_names[call["id"]] = function["name"]
    arguments = _decode_arguments(function["arguments"])
    return {"id": call["id"], "function": {"name": function["name"], "arguments": arguments}}


def rename_reasoning(messages: Raw) -> list[Any]:
    """OpenAI's messages for Ollama's /v1, which reads ``reasoning``, not ``reasoning_content``."""
    renamed = []
    for message in msgspec.json.decode(messages, type=list[Fields]):
        reasoning = message.get("reasoning_content")
        if reasoning and "reasoning" not in message:
            message = {**message, "reasoning": reasoning}
        renamed.append(message)
    return renamed
