"""What Bedrock takes otherwise than OpenAI, by tables and by the family of the model.

``adapt`` leaves a request whose messages are still OpenAI's. Its parameters have Anthropic's names
where Anthropic has one (max_tokens, stop_sequences, tools, tool_choice, thinking, ...), whatever
the family, so that a request for Claude can go to either of Bedrock's APIs; what only Bedrock has
(serviceTier, requestMetadata, outputConfig, ...) has Converse's name and shape.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.anthropic import parameters as anthropic_limits
from headway.providers.anthropic.parameters import (
    ASKS_FOR_NOTHING,
    JSON_ONLY,
    SCHEMA_ONLY,
    UNREADABLE,
)
from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.anthropic.tools import equip
from headway.providers.base import Adapted
from headway.providers.bedrock.message_scan import called, losses, moves_system
from headway.providers.bedrock.models import Family, family_of, keeps_to_schemas
from headway.providers.chat_messages import JsonSchema, ResponseFormat
from headway.providers.json_schema import closed
from headway.providers.parameter_rules import Limits, limit
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest

ABSENT = "Bedrock has no such parameter"
ABSENT_EVERYWHERE = (
    "audio", "logit_bias", "logprobs", "modalities", "n", "prediction", "prompt_cache_key",
    "prompt_cache_retention", "store", "top_logprobs", "verbosity", "web_search_options",
)  # fmt: skip
ABSENT_MOSTLY = ("frequency_penalty", "min_p", "presence_penalty", "repetition_penalty", "seed")
LIMITS = {
    True: Limits(dropped=dict.fromkeys(ABSENT_EVERYWHERE, ABSENT)),
    False: Limits(dropped=dict.fromkeys((*ABSENT_EVERYWHERE, *ABSENT_MOSTLY), ABSENT)),
}
"""By whether the family takes OpenAI's further parameters."""
NO_LIMITS = Limits()
OURS = ("stream_options",)
"""Answered by the gateway itself: usage always comes."""
TIERS = {"auto": None, "default": "default", "standard_only": "default", "priority": "priority",
         "flex": "flex", "reserved": "reserved"}  # fmt: skip
"""Service tiers there; None is what happens anyway."""
NEAREST = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}
"""The effort to use in place of one that a family does not have."""
BUDGETS = ((4096, "low"), (16384, "medium"))
"""Up to so many tokens of thought an effort is meant; there is no official table."""
LARGE_BUDGET = 4096
"""Models of Claude's first generations have no larger limit by themselves."""
NO_CALLS = "Answer without calling a tool."
TOOL = frozenset({"name", "description", "input_schema", "strict", "cache_control", "type"})
"""What a tool can have in Converse."""

_encode = msgspec.json.Encoder().encode
_raws = msgspec.json.Decoder(list[Raw]).decode


def adapt(request: ChatRequest) -> Adapted:
    """The request in parameters that Bedrock and this model take, and what was changed. Raises
    RequestError for what cannot be read as a request in OpenAI's format."""
    try:
        return _adapted(request, family_of(request.model))
    except UNREADABLE as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc


def _adapted(request: ChatRequest, family: Family) -> Adapted:
    draft = AnthropicDraft(limit(_without_void(request), NO_LIMITS)[0])
    for step in (_tag, _choose_tier, _format):
        step(draft)
    adapt_family = _as_claude if family.is_claude else _as_other
    draft = adapt_family(request, draft, family)
    _offer_tools(draft, request.messages)
    _clamp(draft)
    messages = _instructed(request.messages, draft.instructions)
    adapted = replace(request, parameters=draft.parameters, messages=messages)
    return adapted, visible_to_caller(request, draft.transformations)


def _without_void(request: ChatRequest) -> ChatRequest:
    kept = {
        name: raw
        for name, raw in request.parameters.items()
        if name not in OURS
        and (name not in ASKS_FOR_NOTHING or msgspec.json.decode(raw) not in ASKS_FOR_NOTHING[name])
    }
    return replace(request, parameters=kept)


def _instructed(messages: Raw, instructions: list[str]) -> Raw:
    """System messages are hoisted in their order, so that one at the end is the last word."""
    if not instructions:
        return messages
    told = [Raw(_encode({"role": "system", "content": text})) for text in instructions]
    return Raw(_encode([*_raws(messages), *told]))


# --- What is Bedrock's own, whatever the family ---------------------------------------------------


def _tag(draft: AnthropicDraft) -> None:
    """OpenAI's metadata and user, as what AWS's log of invocations is filtered by."""
    tags = {name: _word(value) for name, value in draft.take_object("metadata").items()}
    if tags:
        draft.note("renamed", "metadata", "it is requestMetadata there")
    for name in ("safety_identifier", "user"):
        value = draft.take(name)
        if value is not None:
            tags.setdefault(name, _word(value))
            draft.note("renamed", name, f"it is requestMetadata.{name} there")
    if tags:
        draft.put("requestMetadata", {**tags, **draft.value("requestMetadata", {})})


def _word(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _choose_tier(draft: AnthropicDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    if given not in TIERS:
        draft.note("dropped", "service_tier", f"there is no tier {given}")
    elif TIERS[given] is not None:
        draft.put("serviceTier", {"type": TIERS[given]})


def _format(draft: AnthropicDraft) -> None:
    raw = draft.parameters.pop("response_format", None)
    wanted = None if raw is None else msgspec.json.decode(raw, type=ResponseFormat)
    if wanted is None or wanted.type == "text":
        return
    described = wanted.json_schema or JsonSchema()
    if described.schema is None:
        draft.instructions.append(JSON_ONLY)
        draft.note("emulated", "response_format", "the model is told in words to answer in JSON")
    elif keeps_to_schemas(draft.model):
        _enforce(draft, described, described.schema)
    else:
        draft.instructions.append(SCHEMA_ONLY + _encode(described.schema).decode())
        reason = f"{draft.model} has no structured outputs; it is told the schema in words"
        draft.note("emulated", "response_format", reason)


def _enforce(draft: AnthropicDraft, described: JsonSchema, given: dict[str, Any]) -> None:
    told: set[str] = set()
    schema: dict[str, Any] = {"schema": _encode(closed(given, told)).decode()}
    schema["name"] = described.name
    if described.description is not None:
        schema["description"] = described.description
    text_format = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    draft.put("outputConfig", {"textFormat": text_format, **draft.value("outputConfig", {})})
    if told:
        reason = f"told in words and not enforced: {', '.join(sorted(told))}"
        draft.note("emulated", "response_format", reason)


# --- By the family --------------------------------------------------------------------------------


def _as_claude(request: ChatRequest, draft: AnthropicDraft, family: Family) -> AnthropicDraft:
    """Anthropic's own rules, but that Bedrock needs no limit of tokens."""
    asked = replace(request, parameters=draft.parameters)
    adapted, changes = anthropic_limits.adapt(asked)
    claude = AnthropicDraft(adapted)
    claude.instructions = [*draft.instructions, *_instructions(adapted, request)]
    claude.transformations = [*draft.transformations, *changes]
    if not {"max_tokens", "max_completion_tokens"} & draft.parameters.keys():
        _unbound(claude)
    return claude


def _unbound(draft: AnthropicDraft) -> None:
    """Converse has a limit of its own where none is given. Only a large budget of thought needs one
    that is larger for sure."""
    budget = draft.value("thinking", {}).get("budget_tokens") or 0
    if budget < LARGE_BUDGET:
        draft.parameters.pop("max_tokens", None)
        draft.transformations = [c for c in draft.transformations if c.parameter != "max_tokens"]


def _instructions(adapted: ChatRequest, request: ChatRequest) -> list[str]:
    """What Anthropic's rules tell the model in words, behind the messages that were there."""
    if adapted.messages is request.messages:
        return []
    added = _raws(adapted.messages)[len(_raws(request.messages)) :]
    return [msgspec.json.decode(raw)["content"] for raw in added]


def _as_other(request: ChatRequest, draft: AnthropicDraft, family: Family) -> AnthropicDraft:
    schemas = keeps_to_schemas(draft.model)
    draft.rules = replace(draft.rules, forced_tools=family.forced_tools, schemas=schemas)
    asked = replace(request, parameters=draft.parameters)
    limited, dropped = limit(asked, LIMITS[family.takes_openai])
    draft.parameters = dict(limited.parameters)
    draft.transformations += dropped
    for step in (_stop, _call_at_once, equip, _bound):
        step(draft)
    _think(draft, family)
    _rank(draft, family)
    for reason in losses(request.messages):
        draft.note("dropped", "messages", reason)
    if moves_system(request.messages):
        draft.note("emulated", "messages", "system messages stand before all others")
    return draft


def _stop(draft: AnthropicDraft) -> None:
    stop = draft.take("stop")
    if stop:
        draft.put("stop_sequences", [stop] if isinstance(stop, str) else stop)
        draft.note("renamed", "stop", "it is stopSequences there")


def _call_at_once(draft: AnthropicDraft) -> None:
    if draft.take("parallel_tool_calls") is False:
        draft.note("dropped", "parallel_tool_calls", f"{draft.model} cannot be told to call one")


def _bound(draft: AnthropicDraft) -> None:
    limit = draft.parameters.pop("max_completion_tokens", None)
    if limit is not None:
        draft.parameters["max_tokens"] = limit
        draft.note("renamed", "max_completion_tokens", "it is maxTokens there")


def _think(draft: AnthropicDraft, family: Family) -> None:
    given = "reasoning_effort" if "reasoning_effort" in draft else "reasoning"
    native = draft.take_object("thinking")
    reasoning = draft.take_object("reasoning")
    effort = draft.take("reasoning_effort") or reasoning.get("effort") or _meant(native, reasoning)
    if effort is None:
        return
    if family.think is None:
        name = "thinking" if native else given
        draft.note("dropped", name, f"there is no documented way to tell {draft.model}")
        return
    nearest = effort if effort in family.efforts else NEAREST.get(effort, effort)
    if nearest != effort:
        draft.note("clamped", given, f"the nearest effort to {effort} is {nearest} there")
    _add(draft, family.think(nearest))
    if nearest == "high" and family.high_stands_alone:
        for name in ("temperature", "top_p", "top_k", "max_tokens"):
            draft.drop(name, f"{draft.model} does not take it at its highest effort")


def _meant(native: Any, reasoning: Any) -> str | None:
    """The effort that Anthropic's ``thinking``, or a budget, comes to."""
    if native.get("type") == "disabled" or reasoning.get("enabled") is False:
        return "none"
    budget = native.get("budget_tokens") or reasoning.get("max_tokens")
    if budget is None:
        return "medium" if native or reasoning.get("enabled") else None
    return next((effort for most, effort in BUDGETS if budget <= most), "high")


def _rank(draft: AnthropicDraft, family: Family) -> None:
    if family.top_k is None:
        draft.drop("top_k", f"{draft.model} does not take it")
    elif (value := draft.take("top_k")) is not None:
        _add(draft, family.top_k(value))


def _add(draft: AnthropicDraft, fields: dict[str, Any]) -> None:
    """What the caller set of the additional fields stands."""
    name = "additionalModelRequestFields"
    draft.put(name, {**fields, **draft.value(name, {})})


# --- For all --------------------------------------------------------------------------------------


def _clamp(draft: AnthropicDraft) -> None:
    temperature = draft.value("temperature")
    if isinstance(temperature, int | float) and temperature > 1:
        draft.put("temperature", 1)
        draft.note("clamped", "temperature", "1 is the most there")


def _offer_tools(draft: AnthropicDraft, messages: Raw) -> None:
    """Converse cannot be told to call none, and wants to be told every tool of the conversation
    again ("The toolConfig field must be defined when using toolUse and toolResult content
    blocks")."""
    choice = draft.value("tool_choice") or {}
    names = called(messages)
    if not draft.value("tools"):
        draft.parameters.pop("tool_choice", None)
        if names:
            draft.put("tools", [{"name": n, "input_schema": {"type": "object"}} for n in names])
            draft.instructions.append(NO_CALLS)
            draft.note("emulated", "tools", "those of the conversation are named again")
        return
    if choice.get("type") == "none":
        draft.parameters.pop("tool_choice", None)
        if names:
            draft.instructions.append(NO_CALLS)
            draft.note("emulated", "tool_choice", "the model is told in words to call none")
        else:
            draft.parameters.pop("tools")
            draft.note("emulated", "tool_choice", "the tools are not sent")
            return
    draft.put("tools", [_without_extras(draft, tool) for tool in draft.value("tools")])


def _without_extras(draft: AnthropicDraft, tool: dict[str, Any]) -> dict[str, Any]:
    if "input_schema" not in tool:
        return tool
    for name in sorted(set(tool) - TOOL):
        draft.note("dropped", f"tools[].{name}", f"{tool['name']}: tools have no such field there")
    return {name: value for name, value in tool.items() if name in TOOL}
