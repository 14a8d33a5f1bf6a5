"""Tool calls in responses with OpenAI's wire format.

OpenAI sends a call in fragments keyed by ``index``. Most vendors with the same format send it
whole; some omit the index, give every call the same index, or write the arguments as an object.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.events import Event, ToolArguments, ToolStarted

KnownCalls = dict[tuple[int, int], tuple[str, int]]
"""(choice, index on the wire) -> (id, position among the calls of that choice)."""

_encode = msgspec.json.Encoder().encode


class CalledFunction(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """The JSON text; some vendors send the object itself."""


class CalledCustomTool(Struct):
    """A custom tool takes free text instead of JSON."""

    name: str | None = None
    input: str | None = None


class ToolCallDelta(Struct):
    """A fragment of a tool call, or the whole call."""

    index: int | None = None
    id: str | None = None
    function: CalledFunction | None = None
    custom: CalledCustomTool | None = None


def read_tool_call(
    call: ToolCallDelta, position: int, index: int, calls: KnownCalls, events: list[Event]
) -> None:
    """Append the events of a call of choice ``index`` to ``events``. ``position`` is the call's in
    its list, for calls without an index."""
    function = call.function or _as_function(call.custom or CalledCustomTool())
    wire_index = position if call.index is None else call.index
    known = calls.get((index, wire_index))
    is_new = known is None or _is_next_call(call, function, known[0])
    if is_new and (call.id or function.name):
        number = _position(wire_index, known is not None, index, calls)
        known = calls[index, wire_index] = (call.id or "", number)
        events.append(ToolStarted(number, known[0], function.name or "", index))
    if function.arguments:
        number = wire_index if known is None else known[1]
        events.append(ToolArguments(number, _as_text(function.arguments), index))


def read_function_call(
    function: CalledFunction, index: int, calls: KnownCalls, events: list[Event]
) -> None:
    """Append the events of the deprecated ``function_call``, a single call without an id."""
    if (index, 0) not in calls and function.name:
        calls[index, 0] = ("", 0)
        events.append(ToolStarted(0, "", function.name, index, legacy=True))
    if function.arguments:
        events.append(ToolArguments(0, _as_text(function.arguments), index, legacy=True))


def _is_next_call(call: ToolCallDelta, function: CalledFunction, known_id: str) -> bool:
    """Calls that share an index, because the vendor omits it or gives all the same, are
    distinguished by their ids."""
    return bool(function.name and call.id and known_id and call.id != known_id)


def _position(wire_index: int, is_next: bool, index: int, calls: KnownCalls) -> int:
    taken = [number for (choice, _), (_, number) in calls.items() if choice == index]
    return max(taken) + 1 if is_next or wire_index in taken else wire_index


def _as_text(arguments: str | dict[str, Any]) -> str:
    return arguments if isinstance(arguments, str) else _encode(arguments).decode()


def _as_function(custom: CalledCustomTool) -> CalledFunction:
    return CalledFunction(custom.name, custom.input)
