"""Request transforms that a rename/drop table cannot express.

A transform gets every request of its vendor, so it checks first whether the request has the
parameter. A value that keeps its meaning in another form is not listed as a transformation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.http_headers import bearer_headers
from headway.providers.parameter_rules import value_in
from headway.providers.transformations import clamped, dropped, emulated, renamed
from headway.providers.wire_rules import Adapt, Adapted
from headway.types import NO_RAW, ChatRequest, HttpRequest, Target
from headway.wire.url import join

RequestTransform = Adapt
Fields = dict[str, Raw]
NULL = b"null"
TRUE = Raw(b"true")
EMPTY = Raw(b'""')
NO_CONTENT = Raw(NULL)
ANY_OBJECT = Raw(b'{"type":"object"}')
REQUIRED = Raw(b'"required"')


class NamedSchema(Struct):
    schema: Raw = NO_RAW


class ResponseFormat(Struct):
    """A response format; the schema keeps the client's text."""

    type: str | None = None
    json_schema: NamedSchema | None = None


class Function(Struct):
    name: str | None = None


class FunctionReference(Struct):
    """A tool, or the ``tool_choice`` that names one."""

    function: Function | None = None


_encode = msgspec.json.Encoder().encode
_any = msgspec.json.Decoder().decode
_format = msgspec.json.Decoder(ResponseFormat).decode
_reference = msgspec.json.Decoder(FunctionReference).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode


def with_parameters(request: ChatRequest, **parameters: Raw) -> ChatRequest:
    return replace(request, parameters={**request.parameters, **parameters})


def without_parameters(request: ChatRequest, *names: str) -> ChatRequest:
    kept = {name: raw for name, raw in request.parameters.items() if name not in names}
    return replace(request, parameters=kept)


def response_format_of(request: ChatRequest) -> ResponseFormat:
    raw = request.parameters.get("response_format")
    return _format(raw) if raw is not None and _starts_with(raw, b"{") else ResponseFormat()


def _starts_with(raw: Raw | None, character: bytes) -> bool:
    return raw is not None and bytes(raw)[:1] == character


# --- Parameters -----------------------------------------------------------------------------------


def stop_as_list(request: ChatRequest) -> Adapted:
    """``stop`` as a list, for vendors that reject a single string."""
    stop = request.parameters.get("stop")
    if stop is None or not _starts_with(stop, b'"'):
        return request, ()
    return with_parameters(request, stop=Raw(b"[" + bytes(stop) + b"]")), ()


def rename_values(name: str, values: Mapping[str, str]) -> RequestTransform:
    """Replace values of the parameter ``name``: OpenAI's -> the vendor's."""

    def transform(request: ChatRequest) -> Adapted:
        given = value_in(request.parameters, name)
        value = values.get(given) if isinstance(given, str) else None
        if value is None:
            return request, ()
        transformation = clamped(name, given, value, "the vendor's name of it")
        return with_parameters(request, **{name: Raw(_encode(value))}), (transformation,)

    return transform


def json_mode_as_schema(request: ChatRequest) -> Adapted:
    """JSON mode as a schema of any object, for vendors that reject ``json_object``."""
    if response_format_of(request).type != "json_object":
        return request, ()
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": ANY_OBJECT}}
    transformation = emulated("response_format", "as a JSON schema of any object")
    return with_parameters(request, response_format=Raw(_encode(form))), (transformation,)


def named_tool_as_required(request: ChatRequest) -> Adapted:
    """A named tool as ``tool_choice: required`` with that tool alone, for servers that reject or
    ignore the object form of ``tool_choice``."""
    name, raw = _name(request.parameters.get("tool_choice")), request.parameters.get("tools")
    given = _list(raw) if name is not None and raw is not None and _starts_with(raw, b"[") else []
    tools = [tool for tool in given if _name(tool) == name]
    if not tools:
        return request, ()
    transformation = emulated("tool_choice", "as required, with that tool alone")
    adapted = with_parameters(request, tool_choice=REQUIRED, tools=Raw(_encode(tools)))
    return adapted, (transformation,)


def _name(raw: Raw | None) -> str | None:
    reference = _reference(raw) if raw is not None and _starts_with(raw, b"{") else None
    return reference.function.name if reference and reference.function else None


def only_auto_tool_choice(request: ChatRequest) -> Adapted:
    """For vendors whose ``tool_choice`` is ``auto`` only: ``none`` becomes a request without
    tools, every other choice is dropped."""
    choice = value_in(request.parameters, "tool_choice")
    if choice is None or choice == "auto":
        return request, ()
    if choice != "none":
        transformation = dropped("tool_choice", "only auto is supported")
        return without_parameters(request, "tool_choice"), (transformation,)
    transformation = emulated("tool_choice", "by leaving the tools out")
    return without_parameters(request, "tool_choice", "tools"), (transformation,)


def logprobs_as_count(request: ChatRequest) -> Adapted:
    """``logprobs`` as the number of tokens to list at each position, where OpenAI has a boolean
    and ``top_logprobs``."""
    wanted = value_in(request.parameters, "logprobs")
    if not isinstance(wanted, bool):
        return request, ()
    adapted = without_parameters(request, "logprobs", "top_logprobs")
    if not wanted:
        return adapted, ()
    count = value_in(request.parameters, "top_logprobs")
    count = max(1, count) if isinstance(count, int) else 1
    transformation = clamped("logprobs", "true", count, "the number of tokens")
    return with_parameters(adapted, logprobs=Raw(_encode(count))), (transformation,)


def budget_parameter(name: str, minimum: int, maximum: int) -> RequestTransform:
    """``reasoning.max_tokens`` as the parameter ``name``, between these bounds."""

    def transform(request: ChatRequest) -> Adapted:
        raw = request.parameters.get("reasoning")
        if raw is None or not _starts_with(raw, b"{") or name in request.parameters:
            return request, ()
        rest = _fields(raw)
        tokens = _any(rest.pop("max_tokens", Raw(NULL)))
        if not isinstance(tokens, int) or isinstance(tokens, bool):
            return request, ()
        sent = min(max(tokens, minimum), maximum)
        transformations = [renamed("reasoning.max_tokens", name)]
        if sent != tokens:
            reason = "minimum" if tokens < minimum else "maximum"
            transformations.append(clamped("reasoning.max_tokens", tokens, sent, reason))
        adapted = without_parameters(request, "reasoning")
        if rest:
            adapted = with_parameters(adapted, reasoning=Raw(_encode(rest)))
        return with_parameters(adapted, **{name: Raw(_encode(sent))}), tuple(transformations)

    return transform


def without_budget(request: ChatRequest) -> Adapted:
    """Drop ``reasoning.max_tokens``, for vendors that support the rest of ``reasoning``."""
    raw = request.parameters.get("reasoning")
    if raw is None or not _starts_with(raw, b"{"):
        return request, ()
    rest = _fields(raw)
    if bytes(rest.pop("max_tokens", Raw(NULL))) == NULL:
        return request, ()
    transformation = dropped("reasoning.max_tokens", "the vendor has no budget for reasoning")
    if not rest:
        return without_parameters(request, "reasoning"), (transformation,)
    return with_parameters(request, reasoning=Raw(_encode(rest))), (transformation,)


# --- Messages -------------------------------------------------------------------------------------


def null_content_as_text(request: ChatRequest) -> Adapted:
    """``content`` as an empty string where it is null or missing."""
    if b'"assistant"' not in bytes(request.messages):
        return request, ()
    messages = _messages(request.messages)
    converted = [_with_content(message) for message in messages]
    if converted == messages:
        return request, ()
    return replace(request, messages=Raw(_encode(converted))), ()


def _with_content(message: Fields) -> Fields:
    has_content = bytes(message.get("content", NO_CONTENT)) != NULL
    return message if has_content else {**message, "content": EMPTY}


# --- Whole requests -------------------------------------------------------------------------------


def encode_without_stream_options(request: ChatRequest, target: Target) -> HttpRequest:
    """Encode for vendors that always report usage, and reject ``stream_options``."""
    body: dict[str, Any] = {"model": request.model, "messages": request.messages}
    body.update(request.parameters)
    body.pop("stream_options", None)
    if request.stream:
        body["stream"] = TRUE
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    return HttpRequest(join(target.base_url, "/chat/completions"), headers, _encode(body))
