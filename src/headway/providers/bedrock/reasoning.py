"""Convert ``reasoning_effort``, ``reasoning`` and ``thinking`` to the effort that a family of
models takes; Claude's rules are in ``anthropic.reasoning``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.bedrock.models import Family

NEAREST_EFFORT = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}
"""The effort to send in place of one that a family does not take."""
EFFORT_OF_BUDGET = ((4096, "low"), (16384, "medium"))
"""The largest budget, in tokens, for an effort; there is no official table."""


def convert_reasoning(draft: AnthropicDraft, family: Family) -> None:
    """Set the family's ``additionalModelRequestFields``."""
    thinking = draft.take_object("thinking")
    reasoning = draft.take_object("reasoning")
    reasoning_effort = draft.take("reasoning_effort")
    parameter = "reasoning_effort" if reasoning_effort else "reasoning.effort"
    effort = reasoning_effort or reasoning.get("effort")
    if not effort:
        parameter = "thinking" if thinking else "reasoning"
        effort = _implied_effort(thinking, reasoning)
    if effort is None:
        return
    if family.effort_fields is None:
        draft.note_dropped(parameter, f"unsupported by {draft.model}")
        return
    sent = effort if effort in family.efforts else NEAREST_EFFORT.get(effort, effort)
    if sent != effort:
        draft.note_clamped(parameter, effort, sent, "nearest")
    add_model_fields(draft, family.effort_fields(sent))
    if sent == "high" and family.high_effort_only:
        for name in ("temperature", "top_p", "top_k", "max_tokens"):
            draft.drop(name, f"unsupported by {draft.model} at high reasoning effort")


def add_model_fields(draft: AnthropicDraft, fields: Mapping[str, Any]) -> None:
    """Add to ``additionalModelRequestFields``; fields that the client set there stay."""
    name = "additionalModelRequestFields"
    draft.put(name, {**fields, **draft.value(name, {})})


def _implied_effort(thinking: Mapping[str, Any], reasoning: Mapping[str, Any]) -> str | None:
    """The effort for Anthropic's ``thinking``, or for a budget."""
    if thinking.get("type") == "disabled" or reasoning.get("enabled") is False:
        return "none"
    budget = thinking.get("budget_tokens") or reasoning.get("max_tokens")
    if budget is None:
        return "medium" if thinking or reasoning.get("enabled") else None
    return next((effort for most, effort in EFFORT_OF_BUDGET if budget <= most), "high")
