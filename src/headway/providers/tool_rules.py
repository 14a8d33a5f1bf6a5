"""Transforms of wire rules about tools and the format of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.json_schema import inline_references, is_recursive
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.message_scan import SYSTEM_ROLES
from headway.providers.prompt_instructions import (
    AS_INSTRUCTION,
    JSON_OBJECT,
    schema_instruction,
)
from headway.providers.transformations import dropped, emulated, renamed
from headway.providers.wire_rules import Adapted
from headway.types import ChatRequest

PARAMETERS_PATH = "tools[].function.parameters"
IGNORED_KEYWORDS = frozenset(
    {"$schema", "$id", "$anchor", "$comment", "title", "description", "default", "examples"}
)
"""Keywords that restrict no value."""
NULL = Raw(b"null")


class NamedSchema(Struct):
    schema: Raw = NULL


class ResponseFormat(Struct):
    """A response format; the schema keeps the client's text."""

    type: str | None = None
    json_schema: NamedSchema | None = None


_shape = msgspec.json.Decoder(list[Raw] | dict[str, Raw] | None).decode
_format = msgspec.json.Decoder(ResponseFormat).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def has_tools(request: ChatRequest) -> bool:
    """Whether the request has functions to call or a search to do."""
    names = ("tools", "functions", "web_search_options")
    given = [_shape(request.parameters.get(name, NULL)) for name in names]
    return any(value not in (None, []) for value in given)


# --- The format of the answer ---------------------------------------------------------------------


def json_format_as_instruction(request: ChatRequest) -> Adapted:
    """Ask for JSON in the prompt where there are tools, for providers that take ``response_format``
    only without them."""
    wanted = json_format_of(request)
    if wanted is None or not has_tools(request):
        return request, ()
    return _as_instruction(request, wanted, ", because there are tools")


def json_mode_as_instruction(request: ChatRequest) -> Adapted:
    """Ask for JSON in the prompt where no schema is given, for providers without JSON mode."""
    wanted = json_format_of(request)
    if wanted is None or wanted.type != "json_object":
        return request, ()
    return _as_instruction(request, wanted, "")


def json_as_instruction(request: ChatRequest) -> Adapted:
    """Ask for JSON in the prompt, for providers without ``response_format``."""
    wanted = json_format_of(request)
    return (request, ()) if wanted is None else _as_instruction(request, wanted, "")


def recursive_schema_as_instruction(request: ChatRequest) -> Adapted:
    """Ask for JSON in the prompt where its schema refers to itself, for providers that refuse such
    schemas."""
    wanted = json_format_of(request)
    schema = None if wanted is None else _any(_schema_of(wanted))
    if wanted is None or not isinstance(schema, dict) or not is_recursive(schema):
        return request, ()
    return _as_instruction(request, wanted, ", because the schema refers to itself")


def json_format_of(request: ChatRequest) -> ResponseFormat | None:
    """The ``response_format``, if it asks for JSON."""
    raw = request.parameters.get("response_format")
    if raw is None or _shape(raw) is None:
        return None
    wanted = _format(raw)
    return wanted if wanted.type in ("json_object", "json_schema") else None


def _schema_of(wanted: ResponseFormat) -> Raw:
    return NULL if wanted.json_schema is None else wanted.json_schema.schema


def _as_instruction(request: ChatRequest, wanted: ResponseFormat, reason: str) -> Adapted:
    schema = _schema_of(wanted)
    instruction = JSON_OBJECT if schema == NULL else schema_instruction(schema)
    parameters = {name: v for name, v in request.parameters.items() if name != "response_format"}
    adapted, _ = edit_messages(request, partial(_with_instruction, instruction))
    adapted = replace(adapted, parameters=parameters)
    return adapted, (emulated("response_format", AS_INSTRUCTION + reason),)


def _with_instruction(text: str, messages: list[Fields], noted: Noted) -> list[Fields]:
    """The instruction ends the system messages at the start: some providers take no later ones."""
    is_system = [message.get("role") in SYSTEM_ROLES for message in messages]
    place = (*is_system, False).index(False)
    instruction = {"role": "system", "content": text}
    return [*messages[:place], instruction, *messages[place:]]


# --- Schemas --------------------------------------------------------------------------------------


def plain_object_schemas(request: ChatRequest) -> Adapted:
    """Tools whose schemas have only what restricts a value at the top level, with their definitions
    in place of references."""
    removed: set[str] = set()

    def reduce(function: Fields) -> Fields:
        schema = function.get("parameters")
        if not isinstance(schema, dict):
            return function
        inlined = inline_references(schema)
        if inlined != schema:
            removed.update(name for name in ("$defs", "definitions") if name in schema)
        kept = {name: value for name, value in inlined.items() if name not in IGNORED_KEYWORDS}
        removed.update(inlined.keys() - kept.keys())
        return {**function, "parameters": {"type": "object", "properties": {}, **kept}}

    adapted = edit_functions(request, reduce)
    if not removed:
        return request, ()
    keywords = ", ".join(sorted(removed))
    return adapted, (dropped(PARAMETERS_PATH, f"{keywords} at the top level of a schema"),)


def edit_functions(request: ChatRequest, edit: Callable[[Fields], Fields]) -> ChatRequest:
    """The request with each function of ``tools`` and ``functions`` after ``edit``."""
    parameters = dict(request.parameters)
    for name in ("tools", "functions"):
        given = _any(parameters[name]) if name in parameters else None
        if isinstance(given, list):
            parameters[name] = Raw(_encode([_edited(tool, edit) for tool in given]))
    return replace(request, parameters=parameters)


def _edited(tool: Any, edit: Callable[[Fields], Fields]) -> Any:
    if isinstance(tool.get("function"), dict):
        return {**tool, "function": edit(tool["function"])}
    return edit(tool) if "name" in tool and "type" not in tool else tool


# --- Names of functions ---------------------------------------------------------------------------

NAME_PREFIX = "fn__"
"""Precedes the name of a function that does not begin with a letter or an underscore."""


UNFIT_NAME = re.compile(rb'"name"\s*:\s*"[0-9-]')
"""What a function's name in messages looks like that needs the prefix."""


def prefix_function_names(request: ChatRequest) -> Adapted:
    """Functions whose names begin with a letter or an underscore, in tools, choices and messages.
    ``original_name`` undoes it in the response."""
    noted: Noted = {}

    def rename(function: Fields) -> Fields:
        name = function.get("name")
        if not isinstance(name, str) or not _needs_prefix(name):
            return function
        noted[renamed("tools[].function.name", f"{name} -> {NAME_PREFIX}{name}")] = None
        return {**function, "name": NAME_PREFIX + name}

    adapted = edit_functions(request, rename)
    if not noted and UNFIT_NAME.search(bytes(request.messages)) is None:
        return request, ()
    for parameter in ("tool_choice", "function_call"):
        choice = _any(adapted.parameters.get(parameter, NULL))
        if isinstance(choice, dict):
            parameters = {**adapted.parameters, parameter: Raw(_encode(_choice(choice, rename)))}
            adapted = replace(adapted, parameters=parameters)
    adapted, _ = edit_messages(adapted, lambda messages, _: _with_names(messages, rename))
    return (adapted, tuple(noted)) if noted else (request, ())


def original_name(name: str) -> str:
    """The client's name of a function that the model calls."""
    rest = name.removeprefix(NAME_PREFIX)
    return rest if _needs_prefix(rest) else name


def _needs_prefix(name: str) -> bool:
    return name[:1].isdigit() or name[:1] == "-"


def _choice(choice: Fields, rename: Callable[[Fields], Fields]) -> Fields:
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, dict):
        tools = [_edited(tool, rename) for tool in allowed.get("tools") or ()]
        return {**choice, "allowed_tools": {**allowed, "tools": tools}}
    return dict(_edited(choice, rename))


def _with_names(messages: list[Fields], rename: Callable[[Fields], Fields]) -> list[Fields]:
    changed = []
    for message in messages:
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            message = {**message, "tool_calls": [_edited(call, rename) for call in calls]}
        if isinstance(message.get("function_call"), dict):
            message = {**message, "function_call": rename(message["function_call"])}
        if message.get("role") in ("tool", "function"):
            message = rename(message)
        changed.append(message)
    return changed
