"""Ollama's ``think`` from OpenAI's ``reasoning_effort``, OpenRouter's ``reasoning`` or Anthropic's
``thinking`` (docs.ollama.com/capabilities/thinking). ``think`` is a boolean or an effort."""

from __future__ import annotations

from headway.providers.ollama.messages import UNSUPPORTED
from headway.providers.request_draft import RequestDraft

NEAREST_EFFORTS = {"minimal": "low", "xhigh": "max", "ultra": "max"}
"""For efforts that Ollama does not have; it has low, medium, high and max."""


def convert_reasoning(draft: RequestDraft) -> None:
    effort, reasoning = draft.take("reasoning_effort"), draft.take("reasoning") or {}
    thinking = draft.take("thinking") or {}
    if reasoning.get("max_tokens"):
        draft.note_dropped("reasoning.max_tokens", UNSUPPORTED)
    if thinking.get("budget_tokens"):
        draft.note_dropped("thinking.budget_tokens", UNSUPPORTED)
    if "think" in draft:
        return
    parameter = "reasoning" if effort is None else "reasoning_effort"
    effort = effort or reasoning.get("effort")
    if effort is not None:
        _put_effort(draft, parameter, effort)
    elif thinking:
        _put(draft, "thinking", thinking.get("type") != "disabled")
    elif reasoning:
        _put(draft, parameter, reasoning.get("enabled") is not False)


def _put_effort(draft: RequestDraft, parameter: str, effort: str) -> None:
    nearest = NEAREST_EFFORTS.get(effort, effort)
    if nearest != effort:
        draft.note_clamped(parameter, effort, nearest, "nearest effort")
    _put(draft, parameter, False if effort == "none" else nearest)


def _put(draft: RequestDraft, parameter: str, value: bool | str) -> None:
    draft.put("think", value)
    draft.note_renamed(parameter, "think")
