"""Convert requests for reasoning to the parameters of a vendor's models.

Clients write ``reasoning_effort``, ``reasoning: {effort, max_tokens, enabled}``
(openrouter.ai/docs, Reasoning tokens) or ``thinking: {type, budget_tokens}``
(platform.claude.com/docs, Extended thinking). A vendor has one of these, or other parameters; its
models support all efforts, some or none, and some reject other parameters while they reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai_compatible.request_transforms import RequestTransform
from headway.providers.parameter_rules import value_in
from headway.providers.transformations import clamped, dropped, emulated, renamed, visible_to_client
from headway.types import ChatRequest, Transformation

Parameters = dict[str, Raw]
EffortTable = Mapping[str, Mapping[str, Any]]
"""Effort, or ``ON`` -> the parameters that request it."""
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
ON = "on"
"""Reasoning of no particular effort."""
NAMED = "named"
"""A ``tool_choice`` that is an object with the name of a tool."""
FORCED = frozenset(("required", NAMED))
"""Every ``tool_choice`` that forces a tool call."""
PARAMETERS = ("reasoning_effort", "reasoning", "thinking", "tool_choice")
_encode = msgspec.json.Encoder().encode


def nearest_effort(
    *supported: str, off: Mapping[str, Any] | None = None, on: Mapping[str, Any] | None = None
) -> EffortTable:
    """Every effort as the nearest of ``supported``, the higher of two that are equally near.
    ``off`` and ``on`` are the parameters for no reasoning, and for reasoning of no particular
    effort, where these are not an effort."""
    known = [EFFORTS.index(effort) for effort in supported]

    def nearest(position: int) -> Mapping[str, Any]:
        best = min(known, key=lambda one: (abs(one - position), -one))
        return {"reasoning_effort": EFFORTS[best]}

    table = {effort: nearest(position) for position, effort in enumerate(EFFORTS)}
    if off is not None:
        table["none"] = off
    return {**table, ON: on or {}}


def on_off(off: Mapping[str, Any], on: Mapping[str, Any]) -> EffortTable:
    """For models that reason or do not, without efforts."""
    return {**dict.fromkeys((*EFFORTS[1:], ON), on), "none": off}


NOT_ADJUSTABLE: EffortTable = {effort: {} for effort in (*EFFORTS, ON)}
"""For models whose reasoning cannot be requested or turned off."""
THINKING_ON_OFF = on_off({"thinking": {"type": "disabled"}}, {"thinking": {"type": "enabled"}})


class ReasoningSupport(Struct, frozen=True, kw_only=True):
    """How some of a vendor's models support reasoning."""

    models: str = ""
    """A regular expression that is searched in the model's name."""
    efforts: EffortTable = {}
    """An effort that is not in the table is sent as it is."""
    has_thinking: bool = False
    """``thinking: {type}`` is a parameter of the vendor, and is sent as it is."""
    budget: str | None = None
    """The parameter that limits the tokens of reasoning."""
    by_default: bool = True
    """The models reason unless a parameter turns it off."""
    dropped: Mapping[str, str] = {}
    """Parameters that are rejected or ignored during reasoning -> the reason for the client."""
    rejected_choices: frozenset[str] = frozenset()
    """Values of ``tool_choice`` (or ``NAMED``) that are rejected during reasoning."""
    unless_streamed: Mapping[str, Any] = {}
    """Parameters to add to a request without ``stream``, for models that reason in streams only."""


class ReasoningRequest(NamedTuple):
    """The reasoning that a client requests."""

    parameter: str
    """The client's parameter."""
    effort: str | None
    """One of ``EFFORTS``, ``ON``, any other string, or None where there is a budget only."""
    tokens: int | None = None


def convert_reasoning(*supports: ReasoningSupport) -> RequestTransform:
    """A transform by the first of ``supports`` whose pattern is found in the model's name."""
    patterns = [(re.compile(support.models), support) for support in supports]
    concerned = frozenset(PARAMETERS).union(*(support.dropped for support in supports))
    changes_unstreamed = any(support.unless_streamed for support in supports)

    def transform(request: ChatRequest) -> Adapted:
        is_changed = changes_unstreamed and not request.stream
        if concerned.isdisjoint(request.parameters) and not is_changed:
            return request, ()
        for pattern, support in patterns:
            if pattern.search(request.model):
                return _convert(support, request)
        return request, ()

    return transform


def _convert(support: ReasoningSupport, request: ChatRequest) -> Adapted:
    parameters = dict(request.parameters)
    transformations = _request_reasoning(support, parameters)
    if _reasons(support, parameters):
        transformations += _drop_unsupported(support, parameters)
        added = support.unless_streamed
        if added and not request.stream and added.keys().isdisjoint(parameters):
            _add(parameters, added)
            reason = "the model reasons in streams only"
            transformations += [
                emulated(name, f"as {_text(value)}, because {reason}")
                for name, value in added.items()
            ]
    adapted = replace(request, parameters=parameters)
    return adapted, visible_to_client(request, transformations)


# --- What the client requests ---------------------------------------------------------------------


def _requested_reasoning(
    support: ReasoningSupport, parameters: Parameters
) -> ReasoningRequest | None:
    effort = value_in(parameters, "reasoning_effort")
    if isinstance(effort, str):
        return ReasoningRequest("reasoning_effort", effort)
    reasoning = value_in(parameters, "reasoning")
    if isinstance(reasoning, dict):
        return _from_reasoning(reasoning)
    thinking = None if support.has_thinking else value_in(parameters, "thinking")
    if isinstance(thinking, dict):
        is_off = thinking.get("type") == "disabled"
        return ReasoningRequest(
            "thinking", "none" if is_off else ON, _tokens(thinking.get("budget_tokens"))
        )
    return None


def _from_reasoning(reasoning: Mapping[str, Any]) -> ReasoningRequest:
    tokens, effort = _tokens(reasoning.get("max_tokens")), reasoning.get("effort")
    if not isinstance(effort, str):
        is_on = reasoning.get("enabled") is True or tokens is not None
        effort = "none" if reasoning.get("enabled") is False else ON if is_on else None
    return ReasoningRequest("reasoning", effort, tokens)


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- What the vendor gets -------------------------------------------------------------------------


def _request_reasoning(support: ReasoningSupport, parameters: Parameters) -> list[Transformation]:
    requested = _requested_reasoning(support, parameters)
    if requested is None:
        return []
    transformations = _limit_tokens(support, requested, parameters)
    sent = support.efforts.get(requested.effort or "")
    given = value_in(parameters, requested.parameter)
    if sent is None:
        return [*transformations, *_drop_thinking(requested, parameters)]
    if sent == {requested.parameter: given}:
        return transformations
    parameters.pop(requested.parameter)
    _add(parameters, sent)
    if transformations and requested.effort == ON:  # the budget turns reasoning on
        return transformations
    return [*transformations, *_described(requested, given, sent)]


def _limit_tokens(
    support: ReasoningSupport, requested: ReasoningRequest, parameters: Parameters
) -> list[Transformation]:
    if requested.tokens is None or support.budget is None:
        return []
    _add(parameters, {support.budget: requested.tokens})
    return [renamed(requested.parameter, support.budget)]


def _drop_thinking(requested: ReasoningRequest, parameters: Parameters) -> list[Transformation]:
    """The request rules convert ``reasoning`` and efforts; ``thinking`` they do not know."""
    if requested.parameter != "thinking":
        return []
    parameters.pop("thinking")
    return [dropped("thinking", "only reasoning_effort is supported")]


def _described(
    requested: ReasoningRequest, given: Any, sent: Mapping[str, Any]
) -> list[Transformation]:
    name = requested.parameter
    if not sent:
        return [dropped(name, "the model's reasoning is not adjustable")]
    if name in sent:
        return [clamped(name, _text(given), _text(sent[name]), "nearest supported")]
    transformations = [renamed(name, new) for new in sent]
    effort = sent.get("reasoning_effort")
    if name == "reasoning" and effort is not None and requested.effort not in (effort, ON):
        path = "reasoning.effort"
        transformations.append(clamped(path, requested.effort, effort, "nearest supported"))
    return transformations


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _add(parameters: Parameters, values: Mapping[str, Any]) -> None:
    """Parameters of the vendor that the client gave are kept."""
    for name, value in values.items():
        parameters.setdefault(name, Raw(_encode(value)))


# --- What the model does not support while it reasons ---------------------------------------------


def _reasons(support: ReasoningSupport, parameters: Parameters) -> bool:
    thinking = value_in(parameters, "thinking")
    if isinstance(thinking, dict) and "type" in thinking:
        return bool(thinking["type"] != "disabled")
    enabled = value_in(parameters, "enable_thinking")
    return enabled if isinstance(enabled, bool) else support.by_default


def _drop_unsupported(support: ReasoningSupport, parameters: Parameters) -> list[Transformation]:
    transformations = [
        dropped(name, reason)
        for name, reason in support.dropped.items()
        if value_in(parameters, name) is not None
    ]
    for transformation in transformations:
        parameters.pop(transformation.parameter)
    choice = value_in(parameters, "tool_choice")
    if (NAMED if isinstance(choice, dict) else choice) in support.rejected_choices:
        parameters.pop("tool_choice")
        transformations.append(dropped("tool_choice", "unsupported while the model reasons"))
    return transformations
