"""Find the tools that a conversation calls, without decoding its texts and images."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

CALL_FIELDS = (b'"tool_calls"', b'"function_call"')


class CallingMessage(Struct):
    """The fields of a message that name the tools it calls."""

    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None


_messages = msgspec.json.Decoder(list[CallingMessage]).decode


def called_tools(messages: Raw) -> list[str]:
    """The names of the tools, each once."""
    if not any(field in bytes(messages) for field in CALL_FIELDS):
        return []
    names: dict[str, None] = {}
    for message in _messages(messages):
        calls = [call.get("function") or {} for call in message.tool_calls or ()]
        for function in (*calls, message.function_call or {}):
            if function.get("name"):
                names[function["name"]] = None
    return list(names)
