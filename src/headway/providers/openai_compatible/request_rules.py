"""What vendors of OpenAI's wire refuse, as rules that a row of their table can state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.chat_messages import value_of
from headway.providers.openai.messages import MessageRules, ruled
from headway.providers.parameter_rules import Limits, limit
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest, Transformation

_encode = msgspec.json.Encoder().encode
Parameters = dict[str, Raw]
NULL = Raw(b"null")
SCHEMA_TOLD = "Answer with a JSON object that follows this JSON schema, and with nothing else:\n"


class Rules(Struct, frozen=True, kw_only=True, dict=True):
    """All of what one vendor does otherwise with a request. Reasons are in words."""

    limits: Limits = Limits()
    models: tuple[tuple[re.Pattern[str], Limits], ...] = ()
    """More limits, for the models that the pattern finds."""
    messages: MessageRules = MessageRules(developer="system")
    neutral: Mapping[str, float] = {}
    """Values that change nothing, of parameters that are refused with that very value."""
    bounds: Mapping[str, tuple[float, float]] = {}
    """The least and the most of a number that would be refused beyond."""
    one_choice: bool = False
    """``n`` must be 1."""
    flat_effort: bool = True
    """``reasoning: {effort}`` is called ``reasoning_effort``."""
    tells_schema: bool = False
    """A JSON schema is told to the model in words: the vendor has JSON mode alone."""

    @cached_property
    def concerned(self) -> frozenset[str]:
        """The parameters that any of these rules speak of."""
        names = {*self.neutral, *self.bounds}
        for limits in (self.limits, *(limits for _, limits in self.models)):
            names.update(limits.dropped, limits.renamed)
        others = {"n": self.one_choice, "reasoning": self.flat_effort}
        names.update(name for name, counts in others.items() if counts)
        return frozenset(names | ({"response_format"} if self.tells_schema else set()))


def adapt(rules: Rules, request: ChatRequest) -> Adapted:
    """The request as this vendor takes it, and what was changed."""
    parameters = request.parameters
    if rules.concerned.isdisjoint(parameters) and NULL not in parameters.values():
        adapted, changes = ruled(request, rules.messages)
        return adapted, changes
    return _adapted(rules, request)


def _adapted(rules: Rules, request: ChatRequest) -> Adapted:
    adapted, changes = limit(_without_neutral(rules, request), rules.limits)
    told = list(changes)
    for pattern, limits in rules.models:
        if pattern.search(request.model):
            adapted, changes = limit(adapted, limits)
            told += changes
    adapted, changes = ruled(adapted, rules.messages)
    told += changes
    parameters = dict(adapted.parameters)
    told += _clamped(rules, adapted, parameters)
    if rules.flat_effort:
        told += flat_effort(adapted, parameters)
    adapted = replace(adapted, parameters=parameters)
    if rules.tells_schema:
        adapted, changes = _tell_schema(adapted)
        told += changes
    return adapted, visible_to_caller(request, told)


def _without_neutral(rules: Rules, request: ChatRequest) -> ChatRequest:
    idle = [name for name, value in rules.neutral.items() if value_of(request, name) == value]
    if not idle:
        return request
    kept = {name: raw for name, raw in request.parameters.items() if name not in idle}
    return replace(request, parameters=kept)


def _clamped(rules: Rules, request: ChatRequest, parameters: Parameters) -> list[Transformation]:
    bounds = {**rules.bounds, "n": (1, 1)} if rules.one_choice else rules.bounds
    changes: list[Transformation] = []
    for name, (least, most) in bounds.items():
        given = value_of(request, name)
        if isinstance(given, int | float) and not least <= given <= most:
            nearest = least if given < least else most
            parameters[name] = Raw(_encode(nearest))
            changes.append(
                Transformation("clamped", name, f"{nearest} is the nearest that is taken")
            )
    return changes


def flat_effort(request: ChatRequest, parameters: Parameters) -> list[Transformation]:
    """``reasoning: {effort, max_tokens}`` as ``reasoning_effort``, which has no budget."""
    reasoning = value_of(request, "reasoning")
    parameters.pop("reasoning", None)
    if reasoning is None:
        return []
    effort: Any = reasoning.get("effort") if isinstance(reasoning, dict) else None
    if effort is None or "reasoning_effort" in parameters:
        return [Transformation("dropped", "reasoning", "there is reasoning_effort alone")]
    parameters["reasoning_effort"] = Raw(_encode(effort))
    return [Transformation("renamed", "reasoning", "its effort is reasoning_effort there")]


class Format(Struct):
    """A response format whose schema keeps its own text: it is told, not read."""

    type: str | None = None
    json_schema: NamedSchema | None = None


class NamedSchema(Struct):
    schema: Raw = Raw(b"{}")


_format = msgspec.json.Decoder(Format).decode


def _tell_schema(request: ChatRequest) -> Adapted:
    raw = request.parameters.get("response_format")
    wanted = Format() if raw is None else _format(raw)
    if wanted.type != "json_schema" or wanted.json_schema is None:
        return request, ()
    raw = wanted.json_schema.schema
    schema = "{}" if raw == NULL else bytes(raw).decode()
    messages = msgspec.json.decode(request.messages, type=list[Raw])
    messages.append(Raw(_encode({"role": "system", "content": SCHEMA_TOLD + schema})))
    parameters = {**request.parameters, "response_format": Raw(b'{"type":"json_object"}')}
    adapted = replace(request, messages=Raw(_encode(messages)), parameters=parameters)
    reason = "JSON mode, and the schema told to the model in words"
    return adapted, (Transformation("emulated", "response_format", reason),)
