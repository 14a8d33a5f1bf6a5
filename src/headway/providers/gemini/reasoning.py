"""Google's ``thinkingConfig`` from OpenAI's ``reasoning_effort``, OpenRouter's ``reasoning`` and
``include_reasoning``, or Anthropic's ``thinking``.

Gemini 3 takes a level, 2.5 a budget in tokens; a request with both is rejected
(ai.google.dev/gemini-api/docs/thinking). A client that gives an amount also gets the thoughts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.providers.gemini.models import (
    EFFORT_BUDGETS,
    LEVELS,
    nearest_budget,
    nearest_level,
    supports_thinking,
    takes_thinking_level,
)
from headway.providers.request_draft import RequestDraft

PARAMETERS = ("reasoning_effort", "reasoning", "thinking", "include_reasoning")


class OpenRouterReasoning(Struct, frozen=True):
    effort: str | None = None
    max_tokens: int | None = None
    exclude: bool = False
    enabled: bool | None = None


class AnthropicThinking(Struct, frozen=True):
    type: str = "enabled"
    """enabled, disabled or adaptive."""
    budget_tokens: int | None = None


class ReasoningRequest(Struct, frozen=True):
    """What the client asks for; ``parameter`` is the one that it used."""

    parameter: str
    effort: str | None = None
    budget: int | None = None
    """Tokens."""
    includes_thoughts: bool = True


def convert_reasoning(draft: RequestDraft) -> None:
    request = _reasoning_request(draft)
    if request is None:
        return
    if not supports_thinking(draft.model):
        if request.effort != "none":
            draft.note_dropped(request.parameter, f"unsupported by {draft.model}")
        return
    if request.effort is not None and request.effort not in LEVELS:
        draft.note_dropped(request.parameter, f"must be one of {', '.join(LEVELS)}")
        return
    config = _amount(draft, request)
    if config.get("thinkingBudget") != 0:
        config["includeThoughts"] = request.includes_thoughts and request.effort != "none"
    draft.put("thinkingConfig", config)


def _reasoning_request(draft: RequestDraft) -> ReasoningRequest | None:
    """A budget is more precise than an effort: it wins where both are given."""
    given = {name: raw for name in PARAMETERS if (raw := draft.take(name)) is not None}
    if not given:
        return None
    reasoning = msgspec.convert(given.get("reasoning") or {}, OpenRouterReasoning)
    thinking = msgspec.convert(given.get("thinking") or {}, AnthropicThinking)
    effort = given.get("reasoning_effort") or reasoning.effort
    budget = reasoning.max_tokens
    if "thinking" in given and budget is None:
        budget = thinking.budget_tokens
    if thinking.type == "disabled" or (reasoning.enabled is False and effort is None):
        effort, budget = "none", None
    if effort is not None and budget is not None:
        path = "reasoning_effort" if "reasoning_effort" in given else "reasoning.effort"
        draft.note_dropped(path, "a budget of tokens is given too")
        effort = None
    includes_thoughts = not reasoning.exclude and given.get("include_reasoning") is not False
    return ReasoningRequest(next(iter(given)), effort, budget, includes_thoughts)


def _amount(draft: RequestDraft, request: ReasoningRequest) -> dict[str, Any]:
    """Neither a level nor a budget where the client gives no amount: the model chooses."""
    if request.budget is not None:
        return _thinking_budget(draft, request, request.budget, request.budget)
    if request.effort is None:
        return {}
    if not takes_thinking_level(draft.model):
        budget = EFFORT_BUDGETS.get(request.effort, 0)
        return _thinking_budget(draft, request, budget, request.effort)
    level = nearest_level(draft.model, request.effort)
    if level != request.effort:
        reason = f"nearest level of {draft.model}"
        draft.note_clamped(request.parameter, request.effort, level, reason)
    return {"thinkingLevel": level}


def _thinking_budget(
    draft: RequestDraft, request: ReasoningRequest, budget: int, given: int | str
) -> dict[str, Any]:
    nearest = nearest_budget(draft.model, budget)
    if nearest != budget:
        bound = "minimum" if nearest > budget else "maximum"
        draft.note_clamped(request.parameter, given, f"{nearest} tokens", bound)
    return {"thinkingBudget": nearest}
