"""Custom tools for providers that have functions only. The dialect makes custom calls of their
calls again."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.transformations import emulated
from headway.types import ChatRequest, Transformation
from headway.wire.custom_tools import INPUT, as_function, changes

CUSTOM = "custom"
MARKER = b'"custom"'
Fields = dict[str, Any]

_decode = msgspec.json.Decoder().decode
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_encode = msgspec.json.Encoder().encode


def custom_as_functions(request: ChatRequest) -> Adapted:
    """The request with functions in place of custom tools, and of their calls in the messages."""
    given = request.parameters.get("tools")
    if given is None or MARKER not in bytes(given):
        return request, ()
    noted: list[Transformation] = []
    tools = [_tool(tool, noted) for tool in _decode(given)]
    parameters = {**request.parameters, "tools": Raw(_encode(tools))}
    choice = parameters.get("tool_choice")
    if choice is not None and MARKER in bytes(choice):
        parameters["tool_choice"] = Raw(_encode(_choice(_decode(choice))))
    messages = request.messages
    if MARKER in bytes(messages):
        messages = Raw(_encode([_message(each) for each in _messages(messages)]))
    return replace(request, messages=messages, parameters=parameters), tuple(noted)


def _tool(tool: Any, noted: list[Transformation]) -> Any:
    if not _is_custom(tool):
        return tool
    custom = tool[CUSTOM]
    noted += [emulated(parameter, how) for parameter, how in changes(custom["name"], custom)]
    return {"type": "function", "function": as_function(custom["name"], custom)}


def _choice(choice: Any) -> Any:
    """Also of the tools that ``allowed_tools`` has."""
    if _is_custom(choice):
        return {"type": "function", "function": {"name": choice[CUSTOM]["name"]}}
    allowed = choice.get("allowed_tools") if isinstance(choice, dict) else None
    if not isinstance(allowed, dict):
        return choice
    tools = [_choice(tool) for tool in allowed.get("tools") or ()]
    return {**choice, "allowed_tools": {**allowed, "tools": tools}}


def _message(message: dict[str, Raw]) -> dict[str, Raw]:
    calls = message.get("tool_calls")
    if calls is None or MARKER not in bytes(calls):
        return message
    return {**message, "tool_calls": Raw(_encode([_call(call) for call in _decode(calls)]))}


def _call(call: Any) -> Any:
    if not _is_custom(call):
        return call
    custom = call[CUSTOM]
    arguments = _encode({INPUT: custom.get("input") or ""}).decode()
    function = {"name": custom["name"], "arguments": arguments}
    return {**_without(call, CUSTOM), "type": "function", "function": function}


def _without(fields: Fields, name: str) -> Fields:
    return {key: value for key, value in fields.items() if key != name}


def _is_custom(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get(CUSTOM), dict)
