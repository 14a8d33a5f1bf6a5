"""Convert ``reasoning_effort``, ``reasoning`` and ``thinking`` to what the model takes.

There are three generations of models (platform.claude.com/docs/en/build-with-claude/thinking): with
a budget of tokens; with adaptive thinking, measured by ``output_config.effort``; and with adaptive
thinking that cannot be disabled. A budget is part of ``max_tokens`` and must be smaller. It cannot
be combined with a forced tool nor, in the request that returns a tool's result, with a conversation
that lacks the signed thinking before the call.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.providers.anthropic.reasoning_blocks import has_signed_thinking
from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.message_scan import replays_signatures

MIN_BUDGET = 1024
BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32000,
    "max": 32000,
}
"""Tokens for an effort, for models that take only budgets; there is no official table."""
NEAREST_EFFORT = {"minimal": "low", "xhigh": "max"}
"""The effort to send in place of one that a model does not take."""
DISABLED_TYPES = ("disabled", "between_tools")
FORCED_CHOICES = ("any", "tool")


class ReasoningRequest(Struct, frozen=True, kw_only=True):
    """The reasoning that the client asks for."""

    parameter: str
    """The parameter that asks: thinking, reasoning_effort or reasoning."""
    effort: str | None = None
    effort_parameter: str
    """The path of ``effort``."""
    budget: int | None = None
    """Tokens."""
    budget_parameter: str
    """The path of ``budget``."""
    disabled: bool = False
    thinking_fields: dict[str, Any] = {}
    """Further fields of Anthropic's ``thinking``, such as ``display``."""


def convert_reasoning(draft: AnthropicDraft) -> None:
    """Set ``thinking`` and ``output_config.effort`` as asked."""
    requested = _requested_reasoning(draft)
    if requested is None:
        return
    rules = draft.rules
    if requested.disabled:
        _disable(draft, requested)
    elif rules.thinking == "none":
        draft.note_dropped(requested.parameter, f"unsupported by {draft.model}")
    elif rules.thinking == "adaptive" or (rules.thinking == "either" and requested.budget is None):
        _set_adaptive(draft, requested)
    elif draft.value("tool_choice", {}).get("type") in FORCED_CHOICES:
        reason = f"unsupported by {draft.model} with a forced tool call"
        draft.note_dropped(requested.parameter, reason)
    elif not replays_signatures(draft.request.messages, has_signed_thinking):
        reason = "messages lack the signed thinking before the last tool call"
        draft.note_dropped(requested.parameter, reason)
    else:
        _set_budget(draft, requested)


def _requested_reasoning(draft: AnthropicDraft) -> ReasoningRequest | None:
    thinking = draft.take_object("thinking")
    reasoning = draft.take_object("reasoning")
    reasoning_effort = draft.take("reasoning_effort")
    effort = reasoning_effort or reasoning.get("effort")
    if not thinking and not effort and not reasoning:
        return None
    fields = {k: v for k, v in thinking.items() if k not in ("type", "budget_tokens")}
    if reasoning.get("exclude"):
        fields.setdefault("display", "omitted")
    kind = thinking.get("type")
    disabled = effort == "none" or reasoning.get("enabled") is False or kind in DISABLED_TYPES
    parameter = "reasoning_effort" if reasoning_effort else "reasoning"
    budget = thinking.get("budget_tokens")
    return ReasoningRequest(
        parameter="thinking" if thinking else parameter,
        effort=effort,
        effort_parameter="reasoning_effort" if reasoning_effort else "reasoning.effort",
        budget=budget or reasoning.get("max_tokens"),
        budget_parameter="thinking.budget_tokens" if budget else "reasoning.max_tokens",
        disabled=disabled,
        thinking_fields=fields,
    )


def _disable(draft: AnthropicDraft, requested: ReasoningRequest) -> None:
    rules = draft.rules
    if not rules.thinks_by_default:
        return
    if rules.disabled_type is not None:
        draft.put("thinking", {"type": rules.disabled_type})
        return
    draft.set_output_config("effort", "low")
    draft.note_emulated(requested.parameter, f"as effort low: {draft.model} always thinks")


# --- Adaptive thinking ----------------------------------------------------------------------------


def _set_adaptive(draft: AnthropicDraft, requested: ReasoningRequest) -> None:
    thinking = {"type": "adaptive", **requested.thinking_fields}
    if draft.rules.thinking == "adaptive":
        # From 4.7 on the response has the text of the thinking only where the request asks for it.
        thinking.setdefault("display", "summarized")
    draft.put("thinking", thinking)
    effort = requested.effort
    if requested.budget is not None:
        effort = effort or _effort_of_budget(requested.budget)
        draft.note_renamed(requested.budget_parameter, "output_config.effort")
    _set_effort(draft, requested, effort)


def _set_effort(draft: AnthropicDraft, requested: ReasoningRequest, effort: str | None) -> None:
    if effort is None:
        return
    efforts = draft.rules.efforts
    sent = effort if effort in efforts else NEAREST_EFFORT.get(effort, effort)
    if sent not in efforts and effort in BUDGETS:
        sent = "high"
    if sent != effort:
        draft.note_clamped(requested.effort_parameter, effort, sent, "nearest")
    draft.set_output_config("effort", sent)


def _effort_of_budget(budget: int) -> str:
    return next((effort for effort, tokens in BUDGETS.items() if tokens >= budget), "xhigh")


# --- Thinking with a budget -----------------------------------------------------------------------


def _set_budget(draft: AnthropicDraft, requested: ReasoningRequest) -> None:
    limit = draft.value("max_tokens", draft.rules.max_output_tokens)
    if not isinstance(limit, int):
        raise TypeError("max_tokens is no integer")
    if limit <= MIN_BUDGET:
        reason = f"max_tokens must exceed {MIN_BUDGET}, the minimum budget"
        draft.note_dropped(requested.parameter, reason)
        return
    budget = _budget_within(limit, requested)
    if requested.budget is None:
        _note_budget(draft, requested, budget)
    elif budget != requested.budget:
        reason = "minimum" if budget > requested.budget else "half of max_tokens"
        draft.note_clamped(requested.budget_parameter, requested.budget, budget, reason)
    thinking = {"type": "enabled", "budget_tokens": budget, **requested.thinking_fields}
    draft.put("thinking", thinking)
    if draft.rules.efforts and requested.effort is not None:
        _set_effort(draft, requested, requested.effort)


def _note_budget(draft: AnthropicDraft, requested: ReasoningRequest, budget: int) -> None:
    if requested.effort is None:
        draft.note_emulated(requested.parameter, f"as a budget of {budget} tokens")
    else:
        draft.note_renamed(requested.effort_parameter, "thinking.budget_tokens")


def _budget_within(limit: int, requested: ReasoningRequest) -> int:
    """The tokens to think with, of ``limit`` for the whole output. A budget that the client did not
    choose, or that exceeds the limit, leaves half of the limit to the response."""
    half = max(MIN_BUDGET, limit // 2)
    if requested.budget is None:
        return min(half, BUDGETS.get(requested.effort or "", BUDGETS["medium"]))
    budget = max(MIN_BUDGET, requested.budget)
    return budget if budget < limit else half
