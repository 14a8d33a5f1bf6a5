"""Separate the last text of the user from the rest of a request. Pure.

Two questions may mean the same; two conversations that end with such questions are alike only if
all else in them is the same.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.types import ChatRequest, NativeRequest

LISTS = ("messages", "input", "contents")
"""The fields with the conversation: of OpenAI's, Anthropic's and Ollama's chat format, of OpenAI's
Responses API, of Google's."""
CONTENT = ("content", "parts")
TEXT_TYPES = (None, "text", "input_text")
"""Of parts that are texts; Google's have no type."""
PLACE = ""
"""What stands in the place of the text."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def split_last_text(request: ChatRequest) -> tuple[ChatRequest, str] | None:
    """The request without its last text, and the text. None where it does not end with a message
    of the user that is one text."""
    fields = {"messages": request.messages} if request.native is None else request.native.fields
    name = next((each for each in LISTS if each in fields), None)
    if name is None:
        return None
    try:
        conversation = _decode(fields[name])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    found = _take_text(conversation)
    if found is None:
        return None
    rest, text = found
    return _with(request, name, Raw(_encode(rest))), text


def _with(request: ChatRequest, name: str, value: Raw) -> ChatRequest:
    if request.native is None:
        return replace(request, messages=value)
    native: NativeRequest = request.native
    return replace(request, native=replace(native, fields={**native.fields, name: value}))


def _take_text(conversation: Any) -> tuple[Any, str] | None:
    if isinstance(conversation, str):
        return PLACE, conversation
    if not isinstance(conversation, list) or not conversation:
        return None
    *earlier, last = conversation
    if not isinstance(last, dict) or last.get("role", "user") != "user":
        return None
    name = next((each for each in CONTENT if each in last), None)
    content = None if name is None else last[name]
    text = content if isinstance(content, str) else _only_text(content)
    if name is None or text is None:
        return None
    return [*earlier, {**last, name: PLACE}], text


def _only_text(content: Any) -> str | None:
    """The text of a list with one part, which is a text."""
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], dict):
        return None
    (part,) = content
    text = part.get("text")
    return text if isinstance(text, str) and part.get("type") in TEXT_TYPES else None
