"""Calls of custom tools in chat's shape, of the functions that stood for them, or of calls of
another wire format (platform.openai.com/docs/api-reference/chat/object)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import ResponseContext
from headway.types import ChatRequest, Request
from headway.wire.custom_input import InputText

MARKER = b'"custom"'
NO_TOOLS = Raw(b"[]")
Fields = dict[str, Any]

_decode = msgspec.json.Decoder().decode


class CustomTools(Struct, frozen=True):
    """The custom tools of a request."""

    names: frozenset[str]
    sent: frozenset[str]
    """Those that the provider was offered as custom: their calls have the text itself."""


def read_custom_tools(context: ResponseContext) -> CustomTools:
    names = _custom_names(context.call.request)
    return CustomTools(names, _custom_names(context.sent) if names else names)


def _custom_names(request: Request) -> frozenset[str]:
    assert isinstance(request, ChatRequest)
    fields: Mapping[str, Raw] = request.parameters
    if request.native is not None:
        fields = request.native.fields
    tools = fields.get("tools", NO_TOOLS)
    if MARKER not in bytes(tools):
        return frozenset()
    return frozenset(_name(tool) for tool in _decode(tools) if tool.get("type") == "custom")


def _name(tool: Fields) -> str:
    inner = tool.get("custom")
    return str((inner if isinstance(inner, dict) else tool).get("name"))


def restore_calls(message: Fields, tools: CustomTools) -> Fields:
    """A whole message whose calls of custom tools are custom."""
    calls = message.get("tool_calls")
    if not calls or not tools.names:
        return message
    return {**message, "tool_calls": [_restored(call, tools) for call in calls]}


def _restored(call: Fields, tools: CustomTools) -> Fields:
    name, text = call["function"]["name"], call["function"]["arguments"]
    if name not in tools.names:
        return call
    if name not in tools.sent:
        arguments = InputText()
        arguments.add(text)
        text = arguments.whole()
    return {"id": call["id"], "type": "custom", "custom": {"name": name, "input": text}}


class CustomCalls:
    """The calls of custom tools in one stream."""

    __slots__ = ("_open", "_tools")

    def __init__(self, tools: CustomTools) -> None:
        self._tools = tools
        self._open: dict[tuple[int, int], InputText | None] = {}
        """By the positions of the choice and of the call. None: its pieces are the input's."""

    def restore(self, choice: Fields) -> None:
        """Rewrite the calls in the delta of a choice."""
        delta, index = choice["delta"], choice["index"]
        delta["tool_calls"] = [self._piece(call, index) for call in delta["tool_calls"]]

    def _piece(self, call: Fields, choice: int) -> Fields:
        function, place = call["function"], (choice, call["index"])
        name = function.get("name")
        if name in self._tools.names:
            self._open[place] = None if name in self._tools.sent else InputText()
        if place not in self._open:
            return call
        arguments, text = function["arguments"], self._open[place]
        custom = {name: value for name, value in function.items() if name != "arguments"}
        custom["input"] = arguments if text is None else text.add(arguments)
        kept = {name: value for name, value in call.items() if name != "function"}
        return {**kept, **({"type": "custom"} if "type" in kept else {}), "custom": custom}

    def remainders(self) -> dict[int, list[Fields]]:
        """What the pieces so far lack of the inputs, by choice."""
        found: dict[int, list[Fields]] = {}
        for (choice, call), text in self._open.items():
            if text is not None and (rest := text.remainder()):
                found.setdefault(choice, []).append({"index": call, "custom": {"input": rest}})
        return found
