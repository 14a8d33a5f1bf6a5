"""How vendors of OpenAI's wire are told how much to think, and what they refuse while they do.

A caller says it as ``reasoning_effort``, as ``reasoning: {effort, max_tokens, enabled}``
(openrouter.ai/docs, Reasoning tokens) or as ``thinking: {type, budget_tokens}``
(platform.claude.com/docs, Extended thinking). A vendor has one of these, or words of its own, and
models that take all efforts, some, or none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai_compatible.request_transforms import Mend
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest, Transformation

Parameters = dict[str, Raw]
Written = Mapping[str, Mapping[str, Any]]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
ON = "on"
"""What is asked of a model that shall think, as much as it likes."""
NAMED = "named"
"""A ``tool_choice`` that is the name of a tool."""
ALL_MODELS = re.compile("")
SPOKEN = ("reasoning_effort", "reasoning", "thinking", "tool_choice")
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def nearest(
    *taken: str, off: Mapping[str, Any] | None = None, on: Mapping[str, Any] | None = None
) -> Written:
    """Every effort as the nearest of those that are taken, the higher of two as near. ``off`` and
    ``on`` say in other words that a model shall not think, and that it shall."""
    known = [EFFORTS.index(effort) for effort in taken]

    def told(place: int) -> Mapping[str, Any]:
        best = min(known, key=lambda one: (abs(one - place), -one))
        return {"reasoning_effort": EFFORTS[best]}

    table = {effort: told(place) for place, effort in enumerate(EFFORTS)}
    if off is not None:
        table["none"] = off
    return {**table, ON: on or {}}


def switched(off: Mapping[str, Any], on: Mapping[str, Any]) -> Written:
    """Thinking or not is all that can be said."""
    return {**dict.fromkeys((*EFFORTS[1:], ON), on), "none": off}


NO_CHOICE: Written = {effort: {} for effort in (*EFFORTS, ON)}


class Style(Struct, frozen=True, kw_only=True):
    """The way of some of a vendor's models."""

    models: re.Pattern[str] = ALL_MODELS
    written: Written = {}
    """An effort -> the parameters that say it there: none, where there is no such choice. One that
    is not here goes as it is."""
    has_thinking: bool = False
    """``thinking: {type}`` is the vendor's own word."""
    budget: str | None = None
    """The parameter that limits the tokens of reasoning."""
    thinks: bool = True
    """Unless it is told otherwise."""
    lost: Mapping[str, str] = {}
    """Parameters that are refused or have no effect while it thinks, and why, in words."""
    refused: frozenset[str] = frozenset()
    """What ``tool_choice`` must not be while it thinks."""
    whole: Mapping[str, Any] = {}
    """What makes a whole answer possible, where it thinks in streams alone."""


class Wish(NamedTuple):
    parameter: str
    effort: str | None
    tokens: int | None = None


def thinking(*styles: Style) -> Mend:
    """The first whose pattern finds the model counts."""
    concerned = frozenset(SPOKEN).union(*(style.lost for style in styles))
    minds_whole = any(style.whole for style in styles)

    def mend(request: ChatRequest) -> Adapted:
        if concerned.isdisjoint(request.parameters) and (request.stream or not minds_whole):
            return request, ()
        style = next((one for one in styles if one.models.search(request.model)), None)
        return (request, ()) if style is None else _mended(style, request)

    return mend


def _mended(style: Style, request: ChatRequest) -> Adapted:
    parameters = dict(request.parameters)
    changes = _tell(style, parameters)
    if _thinks(style, parameters):
        changes += _give_up(style, parameters)
        if style.whole and not request.stream and style.whole.keys().isdisjoint(parameters):
            _put(parameters, style.whole)
            reason = "it thinks in streams alone"
            changes += [Transformation("emulated", name, reason) for name in style.whole]
    return replace(request, parameters=parameters), visible_to_caller(request, changes)


# --- What is asked --------------------------------------------------------------------------------


def _value(parameters: Parameters, name: str) -> Any:
    return _any(parameters[name]) if name in parameters else None


def _wish(style: Style, parameters: Parameters) -> Wish | None:
    effort = _value(parameters, "reasoning_effort")
    if isinstance(effort, str):
        return Wish("reasoning_effort", effort)
    reasoning = _value(parameters, "reasoning")
    if isinstance(reasoning, dict):
        return _reasoning(reasoning)
    thinking = None if style.has_thinking else _value(parameters, "thinking")
    if isinstance(thinking, dict):
        is_off = thinking.get("type") == "disabled"
        return Wish("thinking", "none" if is_off else ON, _tokens(thinking.get("budget_tokens")))
    return None


def _reasoning(asked: Mapping[str, Any]) -> Wish:
    tokens, effort = _tokens(asked.get("max_tokens")), asked.get("effort")
    if not isinstance(effort, str):
        is_on = asked.get("enabled") is True or tokens is not None
        effort = "none" if asked.get("enabled") is False else ON if is_on else None
    return Wish("reasoning", effort, tokens)


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tell(style: Style, parameters: Parameters) -> list[Transformation]:
    wish = _wish(style, parameters)
    if wish is None:
        return []
    changes = _limit(style, wish, parameters)
    written = style.written.get(wish.effort or "")
    if written is None:
        return [*changes, *_leave(wish, parameters)]
    if written == {wish.parameter: _value(parameters, wish.parameter)}:
        return changes
    parameters.pop(wish.parameter)
    _put(parameters, written)
    if not (changes and wish.effort == ON):
        changes.append(_told(wish, written))
    return changes


def _limit(style: Style, wish: Wish, parameters: Parameters) -> list[Transformation]:
    if wish.tokens is None or style.budget is None:
        return []
    _put(parameters, {style.budget: wish.tokens})
    return [Transformation("renamed", wish.parameter, f"its budget is {style.budget} there")]


def _leave(wish: Wish, parameters: Parameters) -> list[Transformation]:
    """``reasoning`` and an effort are others' to read, ``thinking`` is nobody's."""
    if wish.parameter != "thinking":
        return []
    parameters.pop("thinking")
    return [Transformation("dropped", "thinking", "there is reasoning_effort alone")]


def _told(wish: Wish, written: Mapping[str, Any]) -> Transformation:
    name = wish.parameter
    if not written:
        return Transformation("dropped", name, "the model has no such choice")
    if name == "reasoning" and written == {"reasoning_effort": wish.effort}:
        return Transformation("renamed", name, "its effort is reasoning_effort there")
    if name == "reasoning_effort" and written.keys() == {name}:
        return Transformation("clamped", name, f"{written[name]} is the nearest that is taken")
    return Transformation("renamed", name, f"it is {_encode(written).decode()} there")


def _put(parameters: Parameters, values: Mapping[str, Any]) -> None:
    """What the caller said in the vendor's own words stays."""
    for name, value in values.items():
        parameters.setdefault(name, Raw(_encode(value)))


# --- What it costs --------------------------------------------------------------------------------


def _thinks(style: Style, parameters: Parameters) -> bool:
    thinking = _value(parameters, "thinking")
    if isinstance(thinking, dict) and "type" in thinking:
        return bool(thinking["type"] != "disabled")
    enabled = _value(parameters, "enable_thinking")
    return enabled if isinstance(enabled, bool) else style.thinks


def _give_up(style: Style, parameters: Parameters) -> list[Transformation]:
    changes = [
        Transformation("dropped", name, reason)
        for name, reason in style.lost.items()
        if _value(parameters, name) is not None
    ]
    for change in changes:
        parameters.pop(change.parameter)
    choice = _value(parameters, "tool_choice")
    if (NAMED if isinstance(choice, dict) else choice) in style.refused:
        parameters.pop("tool_choice")
        reason = "the model chooses for itself while it thinks"
        changes.append(Transformation("dropped", "tool_choice", reason))
    return changes
