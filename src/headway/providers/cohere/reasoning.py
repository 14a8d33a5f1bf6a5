"""Cohere's ``thinking`` parameter from OpenAI's ``reasoning_effort``, OpenRouter's ``reasoning`` or
Anthropic's ``thinking`` (docs.cohere.com/docs/reasoning)."""

from __future__ import annotations

from typing import Any

from headway.providers.cohere.models import supports_reasoning
from headway.providers.request_draft import RequestDraft

TOKEN_BUDGETS = {"minimal": 512, "low": 2048, "medium": 8192}
"""Tokens by effort. A higher effort has no limit, which is what Cohere advises
(docs.cohere.com/docs/reasoning)."""

Thinking = dict[str, Any]


def convert_reasoning(draft: RequestDraft) -> None:
    effort, reasoning = draft.take("reasoning_effort"), draft.take("reasoning") or {}
    native = draft.take("thinking")
    if native is not None:
        parameter, is_off = "thinking", native.get("type") == "disabled"
    else:
        parameter = "reasoning" if effort is None else "reasoning_effort"
        effort = effort or reasoning.get("effort")
        budget = reasoning.get("max_tokens")
        if effort is None and budget is None and reasoning.get("enabled") is False:
            effort = "none"
        if effort is None and budget is None:
            return
        is_off = effort == "none"
    if not supports_reasoning(draft.model):
        if not is_off:
            draft.note_dropped(parameter, f"unsupported by {draft.model}")
    elif native is not None:
        draft.put("thinking", _from_native(draft, native))
    else:
        draft.put("thinking", _from_effort(draft, parameter, effort, budget))


def _from_native(draft: RequestDraft, given: Thinking) -> Thinking:
    """Cohere's own object, or Anthropic's, whose budget has another name."""
    thinking = {"type": "enabled", **given}
    budget = thinking.pop("budget_tokens", None)
    if budget is not None:
        thinking["token_budget"] = budget
        draft.note_renamed("thinking.budget_tokens", "thinking.token_budget")
    return thinking


def _from_effort(
    draft: RequestDraft, parameter: str, effort: str | None, budget: int | None
) -> Thinking:
    if effort == "none":
        draft.note_renamed(parameter, "thinking")
        return {"type": "disabled"}
    tokens = TOKEN_BUDGETS.get(effort or "") if budget is None else budget
    if tokens is None:
        draft.note_emulated(parameter, "as thinking without a token limit")
        return {"type": "enabled"}
    draft.note_emulated(parameter, f"as thinking of at most {tokens} tokens")
    return {"type": "enabled", "token_budget": tokens}
