"""Rules about the arguments of tool calls in a conversation: what a model wrote on an earlier turn,
or a client made of it, may be no JSON object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.request_draft import has_any
from headway.providers.tool_calls import EMPTY, arguments_text, is_object, object_text
from headway.providers.transformations import emulated
from headway.providers.wire_rules import Adapted, Rule, allowed, mended
from headway.types import ChatRequest

PATH = "messages[].tool_calls[].function.arguments"
AS_OBJECT = emulated(PATH, "what is no JSON object, as one")
AS_TEXT = emulated(PATH, "what is no text, as the text of its JSON")
MARKERS = (b'"tool_calls"', b'"function_call"')
BROKEN = ("arguments_cut", "arguments_list")
"""Arguments that are no object."""
EMPTY_OR_OBJECT = ("arguments_empty", "arguments_null", "arguments_object")
"""Arguments that say nothing, and the object itself in place of its text."""
IsFit = Callable[[Any], bool]
Convert = Callable[[Any, Noted], str]


class ScannedFunction(Struct, gc=False):
    arguments: Any = None


class ScannedCall(Struct, gc=False):
    function: ScannedFunction | None = None


class ScannedMessage(Struct, gc=False):
    tool_calls: list[ScannedCall] | None = None
    function_call: ScannedFunction | None = None


_scan = msgspec.json.Decoder(list[ScannedMessage]).decode


def object_argument_rules(source: str) -> tuple[Rule, ...]:
    """The rules of a wire format in which arguments are an object."""
    return (
        *(mended(subject, object_arguments, source, marks=MARKERS) for subject in BROKEN),
        *(
            Rule(subject=subject, outcome="allowed", source=source, note="as an object")
            for subject in EMPTY_OR_OBJECT
        ),
    )


def json_argument_rules(source: str) -> tuple[Rule, ...]:
    """The rules of a provider that reads the text of the arguments."""
    subjects = (*BROKEN, *EMPTY_OR_OBJECT)
    return tuple(mended(each, json_arguments, source, marks=MARKERS) for each in subjects)


def text_argument_rules(source: str) -> tuple[Rule, ...]:
    """The rules of a provider that takes any text."""
    return (
        *allowed(source, *BROKEN, "arguments_empty"),
        mended("arguments_null", text_arguments, source, marks=MARKERS),
        mended("arguments_object", text_arguments, source, marks=MARKERS),
    )


def object_arguments(request: ChatRequest) -> Adapted:
    """The text of an object for all arguments; the adapter sends the object. No arguments, and an
    object in place of its text, are no transformation."""
    return _edit(request, _is_object_text, _to_object)


def json_arguments(request: ChatRequest) -> Adapted:
    """The text of an object for all arguments."""
    return _edit(request, _is_object_text, _to_json)


def text_arguments(request: ChatRequest) -> Adapted:
    """A text for all arguments, whatever it says."""
    return _edit(request, _is_text, _to_text)


def _is_object_text(value: Any) -> bool:
    return isinstance(value, str) and is_object(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _to_object(value: Any, noted: Noted) -> str:
    text = arguments_text(value)
    if text.strip() and not is_object(text):
        noted[AS_OBJECT] = None
    return object_text(text)


def _to_json(value: Any, noted: Noted) -> str:
    noted[AS_OBJECT] = None
    return object_text(arguments_text(value))


def _to_text(value: Any, noted: Noted) -> str:
    noted[AS_TEXT] = None
    return arguments_text(value) or EMPTY


# --- The calls of a conversation ------------------------------------------------------------------


def _edit(request: ChatRequest, is_fit: IsFit, convert: Convert) -> Adapted:
    if not has_any(request.messages, MARKERS) or _are_fit(request.messages, is_fit):
        return request, ()
    return edit_messages(request, partial(_with_arguments, is_fit, convert))


def _are_fit(messages: Raw, is_fit: IsFit) -> bool:
    try:
        scanned = _scan(messages)
    except (msgspec.MsgspecError, RecursionError):
        return False
    functions = [
        function
        for message in scanned
        for function in (message.function_call, *(c.function for c in message.tool_calls or ()))
        if function is not None
    ]
    return all(is_fit(function.arguments) for function in functions)


def _with_arguments(
    is_fit: IsFit, convert: Convert, messages: list[Fields], noted: Noted
) -> list[Fields] | None:
    def changed(function: Any) -> Any:
        if not isinstance(function, dict) or is_fit(function.get("arguments")):
            return function
        return {**function, "arguments": convert(function.get("arguments"), noted)}

    edited = [_with_functions(message, changed) for message in messages]
    return edited if edited != messages else None


def _with_functions(message: Fields, changed: Callable[[Any], Any]) -> Fields:
    calls = message.get("tool_calls")
    fields: Fields = {}
    if isinstance(calls, list):
        fields["tool_calls"] = [_with_function(call, changed) for call in calls]
    if message.get("function_call") is not None:
        fields["function_call"] = changed(message["function_call"])
    return {**message, **fields}


def _with_function(call: Any, changed: Callable[[Any], Any]) -> Any:
    if not isinstance(call, dict) or "function" not in call:
        return call
    return {**call, "function": changed(call["function"])}
