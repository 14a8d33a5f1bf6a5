"""Tools for wires that know functions only, and no choice of a single one of them.

OpenAI's deprecated words (``functions``, ``function_call``, the role ``function``) become tools
here, so that an adapter need not know them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.request_draft import RequestDraft

Fields = dict[str, Any]

_turns = msgspec.json.Decoder(list[Fields]).decode


class Choice(Struct, frozen=True):
    """What the caller wants of the tools."""

    mode: str = "auto"
    """auto, none or required."""
    names: tuple[str, ...] | None = None
    """The only ones to offer; None: all of them."""


def turns(messages: Raw) -> Iterator[Fields]:
    """The messages as parsed JSON; a deprecated call and its result are paired by ids that are made
    of their order."""
    count = 0
    for turn in _turns(messages):
        call = turn.get("function_call")
        rest = {name: value for name, value in turn.items() if name != "function_call"}
        if call is not None:
            made = {"id": f"function_call_{count}", "type": "function", "function": call}
            yield {**rest, "tool_calls": [made]}
        elif turn["role"] == "function":
            yield {**rest, "role": "tool", "tool_call_id": f"function_call_{count}"}
            count += 1
        else:
            yield rest


def parts_of(content: Any) -> list[Fields]:
    """The content of a message as parts, whatever its form."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())


def equip(draft: RequestDraft) -> Choice:
    """Leave the functions to be offered in ``tools``, and give the choice among them."""
    _modernise(draft)
    if draft.take("parallel_tool_calls") is False:
        draft.note("dropped", "parallel_tool_calls", "the model may always call several at once")
    choice = _choice(draft.take("tool_choice"))
    offered = draft.take("tools")
    if not offered:
        return choice
    tools = [tool for tool in offered if _is_function(tool, draft)]
    if choice.names is not None:
        tools = [tool for tool in tools if tool["function"]["name"] in choice.names]
        draft.note("emulated", "tool_choice", "only the tools that it names are sent")
    if tools:
        draft.put("tools", [_plain(tool, draft) for tool in tools])
    return choice


def _modernise(draft: RequestDraft) -> None:
    functions, call = draft.take("functions"), draft.take("function_call")
    if functions is not None and "tools" not in draft:
        draft.put("tools", [{"type": "function", "function": spec} for spec in functions])
        draft.note("renamed", "functions", "they are tools there")
    if call is not None and "tool_choice" not in draft:
        named = isinstance(call, dict)
        draft.put("tool_choice", {"type": "function", "function": call} if named else call)
        draft.note("renamed", "function_call", "it is the choice of a tool there")


def _choice(given: Any) -> Choice:
    if not isinstance(given, dict):
        return Choice("required" if given == "any" else given or "auto")
    if given.get("type") == "allowed_tools":
        allowed = given["allowed_tools"]
        names = tuple(tool["function"]["name"] for tool in allowed["tools"])
        return Choice(allowed.get("mode", "auto"), names)
    return Choice("required", (given["function"]["name"],))


def _is_function(tool: Fields, draft: RequestDraft) -> bool:
    if "function" not in tool:
        draft.note("dropped", "tools", f"there are no tools of type {tool.get('type')}")
    return "function" in tool


def _plain(tool: Fields, draft: RequestDraft) -> Fields:
    """With the parameters that the wires require, and without Anthropic's markers."""
    if "cache_control" in tool:
        draft.note("dropped", "cache_control", "there are no markers for a cache")
    function = {"parameters": {"type": "object", "properties": {}}}
    function.update({name: value for name, value in tool["function"].items() if value is not None})
    named = ("name", "description", "parameters")
    ordered = {name: function.pop(name) for name in named if name in function}
    rest = {name: value for name, value in tool.items() if name not in ("cache_control", "type")}
    return {"type": "function", **rest, "function": {**ordered, **function}}
