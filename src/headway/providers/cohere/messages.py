"""OpenAI's messages as the messages of Cohere's v2 chat (docs.cohere.com/reference/chat).

The formats differ in two places: documents are a field next to ``messages``, and reasoning is a
``thinking`` block for models that reason but a ``tool_plan`` for older ones. Unknown fields pass
through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headway.errors import RequestError
from headway.providers.cohere.content_blocks import Documents, convert_content
from headway.providers.cohere.models import supports_reasoning
from headway.providers.function_tools import Fields, decode_messages, parts_of
from headway.providers.transformations import ONLY_ITS_PROVIDER, dropped
from headway.types import ChatRequest, Transformation

RENAMED_ROLES = {"developer": "system"}
ROLES = ("assistant", "system", "tool", "user")
NOT_COPIED = frozenset(
    {
        "annotations", "audio", "cache_control", "citations", "content", "is_error", "name",
        "reasoning", "reasoning_content", "reasoning_details", "refusal", "role", "tool_calls",
    }
)  # fmt: skip
"""Fields of a message that Cohere does not know, or that are converted."""
UNSUPPORTED = "unsupported by Cohere"


def convert_messages(request: ChatRequest) -> tuple[list[Fields], Documents]:
    """The messages, and the documents that they contained. Raises RequestError for content that
    Cohere cannot take."""
    documents: Documents = []
    reasons = supports_reasoning(request.model)
    messages = [
        _convert(message, reasons, documents) for message in decode_messages(request.messages)
    ]
    return messages, documents


def unsupported_content(request: ChatRequest) -> Iterator[Transformation]:
    """The transformations of content that does not reach the model; some repeat."""
    reasons = supports_reasoning(request.model)
    for message in decode_messages(request.messages):
        if message.get("name") and message["role"] != "tool":
            yield dropped("messages[].name", UNSUPPORTED)
        if message.get("reasoning_details"):
            yield dropped("messages[].reasoning_details", ONLY_ITS_PROVIDER)
        if message.get("is_error"):
            yield dropped("messages[].is_error", UNSUPPORTED)
        if message.get("audio"):
            yield dropped("messages[].audio", UNSUPPORTED)
        if _has_cache_marker(message):
            yield dropped("cache_control", f"{UNSUPPORTED}, which caches automatically")
        if message.get("reasoning_content") and not (reasons or message.get("tool_calls")):
            yield dropped("messages[].reasoning_content", f"unsupported by {request.model}")


def _has_cache_marker(message: Fields) -> bool:
    parts = parts_of(message.get("content"))
    return any(holder.get("cache_control") for holder in (message, *parts))


def _convert(message: Fields, reasons: bool, documents: Documents) -> Fields:
    role = RENAMED_ROLES.get(message["role"], message["role"])
    if role not in ROLES:
        raise RequestError(f"`messages`: there is no role {role!r}.", param="messages")
    content = convert_content(message.get("content"), documents)
    if role == "assistant":
        converted = _assistant_fields(message, content, reasons)
    else:
        converted = {"content": content}
    copied = {name: value for name, value in message.items() if name not in NOT_COPIED}
    return {"role": role, **converted, **copied}


def _assistant_fields(message: Fields, content: Any, reasons: bool) -> Fields:
    fields: Fields = {}
    content = content or message.get("refusal") or ""
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    calls = message.get("tool_calls")
    if reasoning and reasons:
        content = [{"type": "thinking", "thinking": reasoning}, *parts_of(content)]
    elif reasoning and calls:
        fields["tool_plan"] = reasoning
    if content or not calls:
        fields["content"] = content
    if calls:
        fields["tool_calls"] = [_convert_call(call) for call in calls]
    return fields


def _convert_call(call: Fields) -> Fields:
    function = call["function"]
    converted = {"name": function["name"], "arguments": function.get("arguments") or "{}"}
    return {"id": call["id"], "type": "function", "function": converted}
