"""Tools of the Responses API as chat's functions, and the names by which calls find back.

A custom tool, which takes free text, becomes a function with one string ``input``; a namespace
becomes its functions, with its name before theirs. Tools that OpenAI itself runs are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from headway.dialects.input_items.notes import Notes
from headway.errors import RequestError
from headway.wire.custom_tools import as_function, changes

Tool = dict[str, Any]

HOSTED = (
    "apply_patch", "code_interpreter", "computer", "computer_use_preview", "file_search",
    "image_generation", "local_shell", "mcp", "programmatic_tool_calling", "shell", "tool_search",
    "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
)  # fmt: skip
"""OpenAI's own tools."""
SAME_FORMAT = "only providers with OpenAI's Responses API have this tool"
FUNCTION_FIELDS = ("name", "description", "parameters", "strict")
LOADING = "all tools are loaded at once"
SEPARATOR = "__"


class ToolName(Struct, frozen=True):
    """What a function of the chat request is in the client's."""

    name: str
    namespace: str | None = None
    is_custom: bool = False


class ToolHead(Struct):
    """The fields of a tool by which its calls are named."""

    type: str = "function"
    name: str | None = None
    tools: list[ToolHead] = []


ToolNames = dict[str, ToolName]
"""By the name of the chat function, those whose calls differ from it."""

_heads = msgspec.json.Decoder(list[ToolHead]).decode


def read_names(*tools: bytes) -> ToolNames:
    """The names in lists of tools, each as JSON."""
    names: ToolNames = {}
    for raw in tools:
        try:
            heads = _heads(raw)
        except (msgspec.DecodeError, RecursionError):
            continue  # nothing in it can be called
        for head in heads:
            _add_names(names, head, None)
    return names


def chat_name(name: str, namespace: Any) -> str:
    """The name of the chat function for a tool, which may be in a namespace."""
    if not namespace:
        return name
    joint = "" if str(namespace).endswith(SEPARATOR) else SEPARATOR
    return f"{namespace}{joint}{name}"


def convert_tools(tools: Iterable[Tool], notes: Notes) -> list[Tool]:
    """Chat's tools. Raises RequestError for a tool without a name."""
    found: list[Tool] = []
    for place, tool in enumerate(tools):
        kind = tool.get("type", "function")
        if kind in HOSTED:
            notes.drop(f"tools[].{kind}", SAME_FORMAT)
        else:
            found += CONVERTERS.get(kind, _unchanged)(tool, None, f"tools[{place}]", notes)
    return found


def convert_tool_choice(choice: Any) -> Any:
    """Raises RequestError for a choice of one of OpenAI's own tools."""
    if not isinstance(choice, dict):
        return choice
    kind = choice.get("type")
    if kind in HOSTED:
        message = (
            f"`tool_choice` asks for {kind}, but {SAME_FORMAT}. Choose another tool, or a provider "
            "that has it."
        )
        raise RequestError(message, param="tool_choice")
    if kind == "allowed_tools" and "allowed_tools" not in choice:
        allowed = [each for each in choice.get("tools") or () if each.get("type") not in HOSTED]
        tools = [convert_tool_choice(each) for each in allowed]
        return {"type": kind, kind: {"mode": choice.get("mode", "auto"), "tools": tools}}
    if kind in ("function", "custom") and isinstance(choice.get("name"), str):
        name = chat_name(choice["name"], choice.get("namespace"))
        return {"type": "function", "function": {"name": name}}
    return choice


def _add_names(names: ToolNames, head: ToolHead, namespace: str | None) -> None:
    if head.type == "namespace":
        for inner in head.tools:
            _add_names(names, inner, head.name)
    elif head.name and (namespace or head.type == "custom"):
        is_custom = head.type == "custom"
        names[chat_name(head.name, namespace)] = ToolName(head.name, namespace, is_custom)


def _function(tool: Tool, namespace: str | None, path: str, notes: Notes) -> list[Tool]:
    """A tool in chat's shape is unchanged."""
    if isinstance(tool.get("function"), dict):
        return [tool]
    function = {name: tool[name] for name in FUNCTION_FIELDS if tool.get(name) is not None}
    function["name"] = chat_name(_name(tool, path), namespace)
    for name in tool.keys() - {*FUNCTION_FIELDS, "type", "cache_control"}:
        if tool[name] is not None:
            reason = LOADING if name == "defer_loading" else SAME_FORMAT.replace("tool", "field")
            notes.drop(f"tools[].{name}", reason)
    converted = {"type": "function", "function": function}
    if "cache_control" in tool:
        converted["cache_control"] = tool["cache_control"]
    return [converted]


def _custom(tool: Tool, namespace: str | None, path: str, notes: Notes) -> list[Tool]:
    given = tool["custom"] if isinstance(tool.get("custom"), dict) else tool
    name = _name(given, path)
    for parameter, how in changes(name, given):
        notes.emulate(parameter, how)
    return [{"type": "function", "function": as_function(chat_name(name, namespace), given)}]


def _namespace(tool: Tool, namespace: str | None, path: str, notes: Notes) -> list[Tool]:
    name = _name(tool, path)
    notes.emulate("tools[].namespace", f"by functions whose names begin with {name}")
    found: list[Tool] = []
    for place, inner in enumerate(tool.get("tools") or ()):
        convert = CONVERTERS.get(inner.get("type", "function"), _unchanged)
        found += convert(inner, name, f"{path}.tools[{place}]", notes)
    return found


def _unchanged(tool: Tool, namespace: str | None, path: str, notes: Notes) -> list[Tool]:
    """A tool of another vendor."""
    return [tool]


def _name(tool: Tool, path: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"`{path}` has no name.", param=f"{path}.name")
    return name


CONVERTERS: dict[Any, Callable[[Tool, str | None, str, Notes], list[Tool]]] = {
    "function": _function,
    "custom": _custom,
    "namespace": _namespace,
}
"""Converters by the tool's type."""
