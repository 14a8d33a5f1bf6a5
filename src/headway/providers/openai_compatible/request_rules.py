"""Adapt a request to a vendor of an OpenAI-compatible API by declarative rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai_compatible.message_rules import MessageRules, apply_message_rules
from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules
from headway.providers.transformations import (
    clamped,
    dropped,
    emulated,
    renamed,
    visible_to_caller,
)
from headway.types import ChatRequest, Transformation

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
Parameters = dict[str, Raw]
NULL = Raw(b"null")
SCHEMA_PROMPT = "Answer with a JSON object that follows this JSON schema, and with nothing else:\n"
MAX_TOKENS_ONLY = {"max_completion_tokens": "max_tokens"}
"""Renames for vendors whose documentation has ``max_tokens`` only."""
PENALTIES = ("frequency_penalty", "presence_penalty")
STRICT_PARAMETERS = ("audio", "modalities", "store", "verbosity", "web_search_options")
"""OpenAI parameters rejected by vendors that validate strictly."""


class RequestRules(ParameterRules, frozen=True, kw_only=True, dict=True):
    """How the requests of a vendor differ from OpenAI's, as far as tables can express it."""

    by_model: Mapping[str, ParameterRules] = {}
    """Further rules, by a regular expression that is searched in the model's name."""
    messages: MessageRules = MessageRules(developer="system")
    neutral: Mapping[str, float] = {}
    """Parameter -> the value without effect, which is removed without a transformation: the
    parameter is rejected even with that value."""
    bounds: Mapping[str, tuple[float, float]] = {}
    """Parameter -> (minimum, maximum). Values beyond would be rejected; they are clamped."""
    single_choice: bool = False
    """``n`` is clamped to 1."""
    flatten_reasoning: bool = True
    """``reasoning: {effort}`` is sent as ``reasoning_effort``."""
    schema_in_prompt: bool = False
    """A JSON schema is sent in a system message: the vendor has JSON mode but no schemas."""

    @cached_property
    def concerned(self) -> frozenset[str]:
        """The parameters that any of these rules may change."""
        names = {*self.neutral, *self.bounds}
        for rules in (self, *self.by_model.values()):
            names.update(rules.dropped, rules.renamed)
        flags = {
            "n": self.single_choice,
            "reasoning": self.flatten_reasoning,
            "response_format": self.schema_in_prompt,
        }
        return frozenset(names.union(name for name, applies in flags.items() if applies))

    @cached_property
    def model_patterns(self) -> tuple[tuple[re.Pattern[str], ParameterRules], ...]:
        return tuple((re.compile(pattern), rules) for pattern, rules in self.by_model.items())


def apply_request_rules(rules: RequestRules, request: ChatRequest) -> Adapted:
    """The request as the vendor accepts it, and the transformations that the caller sees."""
    parameters = request.parameters
    if rules.concerned.isdisjoint(parameters) and NULL not in parameters.values():
        return apply_message_rules(request, rules.messages)
    return _apply_all(rules, request)


def _apply_all(rules: RequestRules, request: ChatRequest) -> Adapted:
    adapted, more = apply_parameter_rules(_without_neutral(rules, request), rules)
    transformations = list(more)
    for pattern, model_rules in rules.model_patterns:
        if pattern.search(request.model):
            adapted, more = apply_parameter_rules(adapted, model_rules)
            transformations += more
    adapted, more = apply_message_rules(adapted, rules.messages)
    transformations += more
    parameters = dict(adapted.parameters)
    transformations += _clamp(rules, parameters)
    if rules.flatten_reasoning:
        transformations += flatten_reasoning(parameters)
    adapted = replace(adapted, parameters=parameters)
    if rules.schema_in_prompt:
        adapted, more = _schema_to_prompt(adapted)
        transformations += more
    return adapted, visible_to_caller(request, transformations)


def _value(parameters: Mapping[str, Raw], name: str) -> Any:
    return _any(parameters[name]) if name in parameters else None


def _without_neutral(rules: RequestRules, request: ChatRequest) -> ChatRequest:
    given = request.parameters
    neutral = [name for name, value in rules.neutral.items() if _value(given, name) == value]
    if not neutral:
        return request
    kept = {name: raw for name, raw in given.items() if name not in neutral}
    return replace(request, parameters=kept)


def _clamp(rules: RequestRules, parameters: Parameters) -> list[Transformation]:
    bounds = {**rules.bounds, "n": (1, 1)} if rules.single_choice else rules.bounds
    transformations: list[Transformation] = []
    for name, (minimum, maximum) in bounds.items():
        given = _value(parameters, name)
        if isinstance(given, int | float) and not minimum <= given <= maximum:
            nearest, reason = (minimum, "minimum") if given < minimum else (maximum, "maximum")
            parameters[name] = Raw(_encode(nearest))
            transformations.append(clamped(name, given, nearest, reason))
    return transformations


def flatten_reasoning(parameters: Parameters) -> list[Transformation]:
    """Replace ``reasoning: {effort, max_tokens}`` by ``reasoning_effort``, which has no budget."""
    reasoning = _value(parameters, "reasoning")
    parameters.pop("reasoning", None)
    if reasoning is None:
        return []
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    if effort is None or "reasoning_effort" in parameters:
        return [dropped("reasoning", "only reasoning_effort is supported")]
    parameters["reasoning_effort"] = Raw(_encode(effort))
    return [renamed("reasoning", "reasoning_effort")]


class ResponseFormat(Struct):
    """A response format; the schema keeps the caller's text."""

    type: str | None = None
    json_schema: NamedSchema | None = None


class NamedSchema(Struct):
    schema: Raw = Raw(b"{}")


_format = msgspec.json.Decoder(ResponseFormat).decode


def _schema_to_prompt(request: ChatRequest) -> Adapted:
    raw = request.parameters.get("response_format")
    wanted = ResponseFormat() if raw is None else _format(raw)
    if wanted.type != "json_schema" or wanted.json_schema is None:
        return request, ()
    raw = wanted.json_schema.schema
    schema = "{}" if raw == NULL else bytes(raw).decode()
    messages = msgspec.json.decode(request.messages, type=list[Raw])
    messages.append(Raw(_encode({"role": "system", "content": SCHEMA_PROMPT + schema})))
    parameters = {**request.parameters, "response_format": Raw(b'{"type":"json_object"}')}
    adapted = replace(request, messages=Raw(_encode(messages)), parameters=parameters)
    method = "as JSON mode, with the schema in a system message"
    return adapted, (emulated("response_format", method),)
