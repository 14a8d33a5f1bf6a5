"""Tool calls on OpenAI's wire, and on those of everyone who copied it.

OpenAI sends a call in fragments keyed by ``index``; most others send it whole; some leave the index
out, give every call the same, or write the arguments as an object.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.types import Event, ToolArguments, ToolStarted

Tools = dict[tuple[int, int], tuple[str, int]]
"""(choice, index on the wire) -> (id, number among the calls of that choice)."""

_encode = msgspec.json.Encoder().encode


class Function(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """An object instead of its text: seen of servers that copy the wire."""


class Custom(Struct):
    """A tool that takes free text instead of JSON."""

    name: str | None = None
    input: str | None = None


class ToolCall(Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None


def read_tool_call(
    call: ToolCall,
    position: int,
    index: int,
    tools: Tools,
    events: list[Event],
) -> None:
    function = call.function or _as_function(call.custom or Custom())
    tool = position if call.index is None else call.index
    known = tools.get((index, tool))
    is_new = known is None or _is_next(call, function, known[0])
    if is_new and (call.id or function.name):
        known = tools[index, tool] = (call.id or "", _number(tool, known is not None, index, tools))
        events.append(ToolStarted(known[1], known[0], function.name or "", index))
    if function.arguments:
        number = tool if known is None else known[1]
        events.append(ToolArguments(number, _text_of(function.arguments), index))


def _is_next(call: ToolCall, function: Function, known: str) -> bool:
    """Some leave the index out, or give every call the same: then the id tells them apart."""
    return bool(function.name and call.id and known and call.id != known)


def _number(tool: int, is_next: bool, index: int, tools: Tools) -> int:
    taken = [number for (choice, _), (_, number) in tools.items() if choice == index]
    return max(taken) + 1 if is_next or tool in taken else tool


def _text_of(arguments: str | dict[str, Any]) -> str:
    return arguments if isinstance(arguments, str) else _encode(arguments).decode()


def _as_function(custom: Custom) -> Function:
    return Function(custom.name, custom.input)


def read_function_call(function: Function, index: int, tools: Tools, events: list[Event]) -> None:
    """The deprecated way to call a single function."""
    if (index, 0) not in tools and function.name:
        tools[index, 0] = ("", 0)
        events.append(ToolStarted(0, "", function.name, index, legacy=True))
    if function.arguments:
        events.append(ToolArguments(0, _text_of(function.arguments), index, legacy=True))
