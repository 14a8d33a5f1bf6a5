"""Requests in shapes that a server of OpenAI's wire wants and no table of names can say.

Each mend gets every request of its vendor, so it looks first whether it is concerned at all. What
keeps its meaning in another shape is no change to tell of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.types import ChatRequest, Transformation

Mend = Callable[[ChatRequest], Adapted]
NULL = b"null"
EMPTY = Raw(b'""')
ANY_OBJECT = Raw(b'{"type":"object"}')
REQUIRED = Raw(b'"required"')


class NamedSchema(Struct):
    schema: Raw = ANY_OBJECT


class Format(Struct):
    """A response format; its schema keeps its own text."""

    type: str | None = None
    json_schema: NamedSchema | None = None


class Function(Struct):
    name: str | None = None


class Named(Struct):
    """A tool, or the choice of one."""

    function: Function | None = None


_encode = msgspec.json.Encoder().encode
_any = msgspec.json.Decoder().decode
_format = msgspec.json.Decoder(Format).decode
_named = msgspec.json.Decoder(Named).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_parts = msgspec.json.Decoder(list[dict[str, Any]]).decode


def mended(mends: tuple[Mend, ...], adapt: Mend, request: ChatRequest) -> Adapted:
    """The request through each of these, and then as ``adapt`` has it."""
    told: list[Transformation] = []
    for mend in mends:
        request, changes = mend(request)
        told += changes
    adapted, changes = adapt(request)
    return adapted, (*told, *changes)


def _with(request: ChatRequest, **parameters: Raw) -> ChatRequest:
    return replace(request, parameters={**request.parameters, **parameters})


def _without(request: ChatRequest, name: str) -> ChatRequest:
    kept = {each: raw for each, raw in request.parameters.items() if each != name}
    return replace(request, parameters=kept)


def _begins(raw: Raw | None, mark: bytes) -> bool:
    return raw is not None and bytes(raw)[:1] == mark


# --- Parameters -----------------------------------------------------------------------------------


def listed_stop(request: ChatRequest) -> Adapted:
    """``stop`` is a list, where OpenAI takes a lone string too."""
    stop = request.parameters.get("stop")
    if stop is None or not _begins(stop, b'"'):
        return request, ()
    return _with(request, stop=Raw(b"[" + bytes(stop) + b"]")), ()


def _wanted(request: ChatRequest) -> Format:
    raw = request.parameters.get("response_format")
    return _format(raw) if raw is not None and _begins(raw, b"{") else Format()


def grammar(request: ChatRequest) -> Adapted:
    """TGI's response format: ``{"type": "json", "value": schema}``, with no word for text
    (huggingface/text-generation-inference, router, GrammarType). Others are its own."""
    wanted = _wanted(request)
    if wanted.type == "text":
        return _without(request, "response_format"), ()
    if wanted.type not in ("json_object", "json_schema"):
        return request, ()
    schema = ANY_OBJECT if wanted.json_schema is None else wanted.json_schema.schema
    form = {"type": "json", "value": ANY_OBJECT if bytes(schema) == NULL else schema}
    return _with(request, response_format=Raw(_encode(form))), ()


def any_schema(request: ChatRequest) -> Adapted:
    """JSON mode is a schema of any object, where ``json_object`` is refused."""
    if _wanted(request).type != "json_object":
        return request, ()
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": ANY_OBJECT}}
    change = Transformation("emulated", "response_format", "a JSON schema of any object")
    return _with(request, response_format=Raw(_encode(form))), (change,)


def lone_tool(request: ChatRequest) -> Adapted:
    """One named tool is asked for as ``required`` with that tool alone, where ``tool_choice`` is a
    word: others refuse the object, or take no notice of it."""
    name, raw = _name(request.parameters.get("tool_choice")), request.parameters.get("tools")
    given = _list(raw) if name is not None and raw is not None and _begins(raw, b"[") else []
    tools = [tool for tool in given if _name(tool) == name]
    if not tools:
        return request, ()
    change = Transformation("emulated", "tool_choice", "required, with that tool alone")
    return _with(request, tool_choice=REQUIRED, tools=Raw(_encode(tools))), (change,)


def _name(raw: Raw | None) -> str | None:
    function = _named(raw).function if raw is not None and _begins(raw, b"{") else None
    return None if function is None else function.name


def budget(name: str, least: int, most: int) -> Mend:
    """``reasoning: {max_tokens}`` is a parameter of its own, between these."""

    def mend(request: ChatRequest) -> Adapted:
        raw = request.parameters.get("reasoning")
        if raw is None or not _begins(raw, b"{") or name in request.parameters:
            return request, ()
        rest = _fields(raw)
        tokens = _any(rest.pop("max_tokens", Raw(NULL)))
        if not isinstance(tokens, int) or isinstance(tokens, bool):
            return request, ()
        taken = min(max(tokens, least), most)
        changes = [Transformation("renamed", "reasoning", f"its budget is {name} there")]
        if taken != tokens:
            changes.append(
                Transformation("clamped", "reasoning", f"{taken} is the nearest that is taken")
            )
        kept = _without(request, "reasoning")
        fields = {"reasoning": Raw(_encode(rest)), name: Raw(_encode(taken))}
        return _with(kept, **(fields if rest else {name: fields[name]})), tuple(changes)

    return mend


def without_budget(request: ChatRequest) -> Adapted:
    """``reasoning`` is known, and no ``max_tokens`` in it."""
    raw = request.parameters.get("reasoning")
    if raw is None or not _begins(raw, b"{"):
        return request, ()
    rest = _fields(raw)
    if bytes(rest.pop("max_tokens", Raw(NULL))) == NULL:
        return request, ()
    change = Transformation("dropped", "reasoning", "there is no budget for it")
    if not rest:
        return _without(request, "reasoning"), (change,)
    return _with(request, reasoning=Raw(_encode(rest))), (change,)


# --- Messages -------------------------------------------------------------------------------------


def plain_content(request: ChatRequest) -> Adapted:
    """Content is a string, never null, and no list where it is text alone."""
    changes: dict[Transformation, None] = {}
    messages = _messages(request.messages)
    plain = [_plain(message, changes) for message in messages]
    if plain == messages:
        return request, ()
    return replace(request, messages=Raw(_encode(plain))), tuple(changes)


def _plain(message: Mapping[str, Raw], changes: dict[Transformation, None]) -> dict[str, Raw]:
    content = bytes(message.get("content", EMPTY))
    if content == NULL or "content" not in message:
        return {**message, "content": EMPTY}
    parts = _parts(content) if content[:1] == b"[" else []
    if not parts or any(part.get("type") != "text" for part in parts):
        return dict(message)
    lost = dict.fromkeys(name for part in parts for name in part if name not in ("type", "text"))
    reason = "content is a string there"
    changes.update(dict.fromkeys(Transformation("dropped", name, reason) for name in lost))
    return {**message, "content": Raw(_encode("".join(part.get("text") or "" for part in parts)))}
