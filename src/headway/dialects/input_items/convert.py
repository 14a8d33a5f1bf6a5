"""A whole request of the Responses API as a chat request, for providers of other wire formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ConvertedRequest, field
from headway.dialects.input_items.messages import Conversation, convert_items
from headway.dialects.input_items.notes import Notes
from headway.dialects.input_items.tools import convert_tool_choice, convert_tools
from headway.errors import RequestError
from headway.types import ChatRequest

Fields = dict[str, Any]

WIRE = "openai_responses"
"""The ``Provider.wire`` of this format."""
INPUT = field("input", str | list[dict[str, Any]], "a text, or a list of items")
INSTRUCTIONS = field("instructions", str | None, "a text or null")
TOOLS = field("tools", list[dict[str, Any]] | None, "a list of tools")
TOOL_CHOICE = field("tool_choice", str | dict[str, Any] | None, "a text or an object")
TEXT = field("text", dict[str, Any] | None, "an object")
REASONING = field("reasoning", dict[str, Any] | None, "an object or null")
INCLUDE = field("include", list[str] | None, "a list of texts")
PARALLEL = "parallel_tool_calls"
LOGPROBS = "message.output_text.logprobs"
ENCRYPTED = "reasoning.encrypted_content"
SAME_FORMAT = "only providers with OpenAI's Responses API take it"
DROPPED = {
    "background_options": SAME_FORMAT,
    "client_metadata": SAME_FORMAT,
    "context_management": SAME_FORMAT,
    "image": SAME_FORMAT,
    "max_tool_calls": "no tools run at the provider",
    "metadata": "the provider does not get it; the response repeats it",
    "moderation": SAME_FORMAT,
    "prompt_cache_options": SAME_FORMAT,
    "stream_options": SAME_FORMAT,
    "truncation": "a conversation that is too long is refused",
}
"""Fields that chat does not have -> why they are left out."""
DEFAULTS: dict[str, tuple[bytes, ...]] = {
    "background": (b"false",),
    "context_management": (b"[]",),
    "metadata": (b"{}",),
    "store": (b"false", b"true"),
    "truncation": (b'"disabled"',),
}
"""Values that ask for nothing."""
NOT_STORED = {
    "background": "the gateway answers while the client waits. Leave it out, and ask for a stream"
    " if the answer takes long.",
    "conversation": "the gateway keeps no conversations. Send the whole conversation as `input`.",
}
"""Fields that refer to what the gateway does not keep -> why, and what to do."""
ABSENT = (b"null", b"false")
RENAMED = {"max_output_tokens": "max_completion_tokens"}
NULL = b"null"
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What the functions of this package raise for values of another form than the API's."""
TRUE = Raw(b"true")

_encode = msgspec.json.Encoder().encode


def prompt_messages(fields: Mapping[str, Raw]) -> Raw:
    """The input for counting tokens: items, of which messages have a content as chat's have."""
    given = bytes(fields.get("input", b"[]"))
    if given[:1] != b'"':
        return Raw(given)
    return Raw(b'[{"role":"user","content":' + given + b"}]")


def check_fields(fields: Mapping[str, Raw]) -> None:
    """Raises InvalidField without input, and RequestError for what refers to what is not kept."""
    for name, why in NOT_STORED.items():
        if bytes(fields.get(name, Raw(b"null"))) not in ABSENT:
            message = f"`{name}` is not supported: {why}"
            raise RequestError(message, param=name, code="unsupported_parameter")
    if "prompt" not in fields:
        INPUT.require(fields)


def convert_fields(request: ChatRequest) -> ConvertedRequest:
    """A request with ``native`` in the format of the Responses API. Raises RequestError for what
    chat cannot carry and a conversation cannot do without, and for values of another form."""
    try:
        return _convert_fields(request)
    except MALFORMED as exc:
        raise RequestError("The request has a value in a form that cannot be read.") from exc


def _convert_fields(request: ChatRequest) -> ConvertedRequest:
    assert request.native is not None
    fields = {name: raw for name, raw in request.native.fields.items() if bytes(raw) != NULL}
    notes = Notes()
    if "prompt" in fields:
        message = f"`prompt`: {SAME_FORMAT}. Send the prompt's text as `instructions` and `input`."
        raise RequestError(message, param="prompt")
    conversation = Conversation(notes)
    messages = _messages(fields, conversation)
    parameters: dict[str, Raw] = {}
    for name, raw in fields.items():
        if name in CONVERTERS:
            converted = CONVERTERS[name](fields, notes)
            parameters.update((k, Raw(_encode(v))) for k, v in converted.items())
        elif bytes(raw) in DEFAULTS.get(name, ()) or name in ("input", "instructions"):
            continue
        elif name in DROPPED:
            notes.drop(name, DROPPED[name])
        else:
            parameters[RENAMED.get(name, name)] = raw
    _add_tools(parameters, conversation.added_tools, notes)
    _check_tools(parameters)
    encoded = Raw(_encode(messages))
    chat = replace(request, messages=encoded, parameters=parameters, native=None)
    return chat, notes.transformations


def _messages(fields: Mapping[str, Raw], conversation: Conversation) -> list[Fields]:
    if instructions := INSTRUCTIONS.read(fields):
        conversation.add({"role": "system", "content": instructions})
    given = INPUT.require(fields)
    if isinstance(given, str):
        conversation.add({"role": "user", "content": given})
    else:
        convert_items(given, conversation)
    return list(conversation.messages())


def _add_tools(parameters: dict[str, Raw], added: list[Fields], notes: Notes) -> None:
    if added:
        notes.emulate("input[].additional_tools", "as tools of the whole request")
        before = msgspec.json.decode(parameters.get("tools", Raw(b"[]")))
        parameters["tools"] = Raw(_encode([*before, *convert_tools(added, notes)]))


def _check_tools(parameters: dict[str, Raw]) -> None:
    """Without tools there is nothing to choose: chat APIs refuse a choice then."""
    if "tools" in parameters:
        return
    choice = parameters.pop("tool_choice", None)
    parameters.pop(PARALLEL, None)
    if choice is not None and bytes(choice) not in (b'"auto"', b'"none"'):
        message = "`tool_choice` requires a tool, and this provider has none of the given `tools`."
        raise RequestError(message, param="tool_choice")


# --- Parameters -----------------------------------------------------------------------------------


def _tools(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    tools = convert_tools(TOOLS.read(fields), notes)
    return {"tools": tools} if tools else {}


def _tool_choice(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    return {"tool_choice": convert_tool_choice(TOOL_CHOICE.read(fields))}


def _text(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    """``text.format`` as ``response_format``, and the verbosity."""
    text, found = TEXT.read(fields), {}
    if (verbosity := text.pop("verbosity", None)) not in (None, "medium"):
        found["verbosity"] = verbosity
    given = text.pop("format", None) or {}
    kind = given.get("type", "text")
    if kind == "json_schema" and "json_schema" not in given:
        schema = {name: v for name, v in given.items() if name != "type" and v is not None}
        found["response_format"] = {"type": kind, "json_schema": schema}
    elif kind != "text":
        found["response_format"] = given
    for name in text:
        notes.drop(f"text.{name}", SAME_FORMAT)
    return found


def _reasoning(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    """The effort. The summary is a matter of the response."""
    reasoning = REASONING.read(fields)
    for name in reasoning.keys() - {"effort", "summary", "generate_summary"}:
        if reasoning[name] is not None:
            notes.drop(f"reasoning.{name}", SAME_FORMAT)
    effort = reasoning.get("effort")
    return {} if effort is None else {"reasoning_effort": effort}


def _include(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    """Encrypted reasoning is always in the response."""
    names = INCLUDE.read(fields)
    for name in names:
        if name not in (LOGPROBS, ENCRYPTED):
            notes.drop(f"include.{name}", SAME_FORMAT)
    return {"logprobs": True} if LOGPROBS in names else {}


def _top_logprobs(fields: Mapping[str, Raw], notes: Notes) -> Fields:
    """Chat wants to be asked for log probabilities as such; 0 is the default."""
    if bytes(fields["top_logprobs"]) == b"0":
        return {}
    return {"logprobs": TRUE, "top_logprobs": fields["top_logprobs"]}


CONVERTERS: dict[str, Callable[[Mapping[str, Raw], Notes], Fields]] = {
    "include": _include,
    "reasoning": _reasoning,
    "text": _text,
    "tool_choice": _tool_choice,
    "tools": _tools,
    "top_logprobs": _top_logprobs,
}
"""By the field: functions that give parameters of chat."""
