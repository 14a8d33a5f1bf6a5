"""Adapt a request to a vendor of an OpenAI-compatible API by declarative rules."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai_compatible.message_rules import MessageRules, apply_message_rules
from headway.providers.openai_compatible.request_transforms import response_format_of
from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules, value_in
from headway.providers.transformations import clamped, dropped, emulated, renamed, visible_to_client
from headway.types import ChatRequest, Transformation

_encode = msgspec.json.Encoder().encode
Parameters = dict[str, Raw]
NULL = Raw(b"null")
SCHEMA_PROMPT = "Answer with a JSON object that follows this JSON schema, and with nothing else:\n"
TO_MAX_TOKENS = {"max_completion_tokens": "max_tokens"}
"""Renames for vendors whose documentation has ``max_tokens`` only."""
PENALTIES = ("frequency_penalty", "presence_penalty")
STRICT_PARAMETERS = ("audio", "modalities", "store", "verbosity", "web_search_options")
"""OpenAI parameters rejected by vendors that validate strictly."""


class RequestRules(Struct, frozen=True, kw_only=True):
    """How the requests of a vendor differ from OpenAI's, as far as tables can express it."""

    unsupported: tuple[str, ...] = ()
    """Parameters that are dropped because the vendor rejects them."""
    ignored: tuple[str, ...] = ()
    """Parameters that are dropped because the vendor accepts them without effect."""
    renamed: Mapping[str, str] = {}
    """Parameters: OpenAI's name -> the vendor's."""
    by_model: Mapping[str, Mapping[str, str]] = {}
    """A regular expression that is searched in the model's name -> parameters to drop for these
    models, with the reason that the client reads."""
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


class CompiledRules:
    """The rules of the vendor ``title``, prepared for many requests."""

    def __init__(self, rules: RequestRules, title: str) -> None:
        self.rules = rules
        self.parameters = ParameterRules(
            dropped={
                **dict.fromkeys(rules.unsupported, f"unsupported by {title}"),
                **dict.fromkeys(rules.ignored, f"ignored by {title}"),
            },
            renamed=rules.renamed,
        )
        self.by_model = [
            (re.compile(pattern), ParameterRules(dropped=dropped))
            for pattern, dropped in rules.by_model.items()
        ]
        flags = {
            "n": rules.single_choice,
            "reasoning": rules.flatten_reasoning,
            "response_format": rules.schema_in_prompt,
        }
        self.concerned = frozenset(
            (*rules.unsupported, *rules.ignored, *rules.renamed, *rules.neutral, *rules.bounds)
        ).union(*rules.by_model.values(), (name for name, applies in flags.items() if applies))
        """The parameters that any of the rules may change."""

    def apply(self, request: ChatRequest) -> Adapted:
        """The request as the vendor accepts it, and the transformations that the client sees."""
        parameters = request.parameters
        if self.concerned.isdisjoint(parameters) and NULL not in parameters.values():
            return apply_message_rules(request, self.rules.messages)
        return self._apply_all(request)

    def _apply_all(self, request: ChatRequest) -> Adapted:
        rules = self.rules
        adapted, more = apply_parameter_rules(_without_neutral(rules, request), self.parameters)
        transformations = list(more)
        for pattern, model_rules in self.by_model:
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
        return adapted, visible_to_client(request, transformations)


def _without_neutral(rules: RequestRules, request: ChatRequest) -> ChatRequest:
    given = request.parameters
    neutral = [name for name, value in rules.neutral.items() if value_in(given, name) == value]
    if not neutral:
        return request
    kept = {name: raw for name, raw in given.items() if name not in neutral}
    return replace(request, parameters=kept)


def _clamp(rules: RequestRules, parameters: Parameters) -> list[Transformation]:
    bounds = {**rules.bounds, "n": (1, 1)} if rules.single_choice else rules.bounds
    transformations: list[Transformation] = []
    for name, (minimum, maximum) in bounds.items():
        given = value_in(parameters, name)
        if isinstance(given, int | float) and not minimum <= given <= maximum:
            nearest, reason = (minimum, "minimum") if given < minimum else (maximum, "maximum")
            parameters[name] = Raw(_encode(nearest))
            transformations.append(clamped(name, given, nearest, reason))
    return transformations


def flatten_reasoning(parameters: Parameters) -> list[Transformation]:
    """Replace ``reasoning: {effort, max_tokens}`` by ``reasoning_effort``, which has no budget."""
    reasoning = value_in(parameters, "reasoning")
    parameters.pop("reasoning", None)
    if reasoning is None:
        return []
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    if effort is None or "reasoning_effort" in parameters:
        return [dropped("reasoning", "only reasoning_effort is supported")]
    parameters["reasoning_effort"] = Raw(_encode(effort))
    return [renamed("reasoning", "reasoning_effort")]


def _schema_to_prompt(request: ChatRequest) -> Adapted:
    wanted = response_format_of(request)
    if wanted.type != "json_schema" or wanted.json_schema is None:
        return request, ()
    raw = wanted.json_schema.schema
    schema = bytes(raw).decode() if raw and raw != NULL else "{}"
    messages = msgspec.json.decode(request.messages, type=list[Raw])
    messages.append(Raw(_encode({"role": "system", "content": SCHEMA_PROMPT + schema})))
    parameters = {**request.parameters, "response_format": Raw(b'{"type":"json_object"}')}
    adapted = replace(request, messages=Raw(_encode(messages)), parameters=parameters)
    method = "as JSON mode, with the schema in a system message"
    return adapted, (emulated("response_format", method),)
