"""Convert tools for wire formats that support functions only and no choice of a single one.

OpenAI's deprecated fields (``functions``, ``function_call``, the role ``function``) become tools
here, so that adapters need not handle them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.request_draft import RequestDraft

Fields = dict[str, Any]

_messages = msgspec.json.Decoder(list[Fields]).decode


class ToolChoice(Struct, frozen=True):
    """``tool_choice``, decoded."""

    mode: str = "auto"
    """auto, none or required."""
    names: tuple[str, ...] | None = None
    """The names of the only tools to offer; None: all."""


def decode_messages(messages: Raw) -> Iterator[Fields]:
    """The messages as parsed JSON, with deprecated function calls as tool calls: a call and its
    result share an id that is made of their position."""
    count = 0
    for message in _messages(messages):
        call = message.get("function_call")
        rest = {name: value for name, value in message.items() if name != "function_call"}
        if call is not None:
            made = {"id": f"function_call_{count}", "type": "function", "function": call}
            yield {**rest, "tool_calls": [made]}
        elif message["role"] == "function":
            yield {**rest, "role": "tool", "tool_call_id": f"function_call_{count}"}
            count += 1
        else:
            yield rest


def parts_of(content: Any) -> list[Fields]:
    """The content of a message as a list of parts, whatever its form."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())


def convert_tools(draft: RequestDraft) -> ToolChoice:
    """Replace the tool parameters of ``draft`` by ``tools`` with the functions to offer, and return
    the choice among them. A named choice offers the named functions alone."""
    convert_functions(draft)
    if draft.take("parallel_tool_calls") is False:
        draft.note_dropped("parallel_tool_calls", "the model may always call several at once")
    choice = _choice(draft.take("tool_choice"))
    offered = draft.take("tools")
    if not offered:
        return choice
    tools = [tool for tool in offered if _is_function(tool, draft)]
    if choice.names is not None:
        tools = [tool for tool in tools if tool["function"]["name"] in choice.names]
        draft.note_emulated("tool_choice", "by offering only the tools that it names")
    if tools:
        draft.put("tools", [_plain_tool(tool, draft) for tool in tools])
    return choice


def convert_functions(draft: RequestDraft) -> None:
    """OpenAI's deprecated ``functions`` and ``function_call`` as ``tools`` and ``tool_choice``."""
    functions, call = draft.take("functions"), draft.take("function_call")
    if functions is not None and "tools" not in draft:
        draft.put("tools", [{"type": "function", "function": spec} for spec in functions])
        draft.note_renamed("functions", "tools")
    if call is not None and "tool_choice" not in draft:
        is_named = isinstance(call, dict)
        draft.put("tool_choice", {"type": "function", "function": call} if is_named else call)
        draft.note_renamed("function_call", "tool_choice")


def _choice(given: Any) -> ToolChoice:
    if not isinstance(given, dict):
        return ToolChoice("required" if given == "any" else given or "auto")
    if given.get("type") == "allowed_tools":
        allowed = given["allowed_tools"]
        names = tuple(tool["function"]["name"] for tool in allowed["tools"])
        return ToolChoice(allowed.get("mode", "auto"), names)
    return ToolChoice("required", (given["function"]["name"],))


def _is_function(tool: Fields, draft: RequestDraft) -> bool:
    if "function" not in tool:
        draft.note_dropped("tools", f"unsupported type {tool.get('type')}")
    return "function" in tool


def _plain_tool(tool: Fields, draft: RequestDraft) -> Fields:
    """With ``parameters``, which these wires require, and without ``cache_control``."""
    if "cache_control" in tool:
        draft.note_dropped("cache_control", "the provider has no cache markers")
    function = {"parameters": {"type": "object", "properties": {}}}
    function.update({name: value for name, value in tool["function"].items() if value is not None})
    first = ("name", "description", "parameters")
    ordered = {name: function.pop(name) for name in first if name in function}
    rest = {name: value for name, value in tool.items() if name not in ("cache_control", "type")}
    return {"type": "function", **rest, "function": {**ordered, **function}}
