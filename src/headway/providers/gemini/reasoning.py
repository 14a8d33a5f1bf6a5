"""How much the model may think: from every way in which callers say it, to ``thinkingConfig``.

Gemini 3 takes a level, 2.5 a budget in tokens; both at once are refused
(ai.google.dev/gemini-api/docs/thinking). Whoever says how much also gets to read the thoughts.
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
    takes_levels,
    thinks,
)
from headway.providers.request_draft import RequestDraft

NAMES = ("reasoning_effort", "reasoning", "thinking", "include_reasoning")


class Reasoning(Struct, frozen=True):
    """OpenRouter's ``reasoning``."""

    effort: str | None = None
    max_tokens: int | None = None
    exclude: bool = False
    enabled: bool | None = None


class Thinking(Struct, frozen=True):
    """Anthropic's ``thinking``: enabled, disabled or adaptive."""

    type: str = "enabled"
    budget_tokens: int | None = None


class Wish(Struct, frozen=True):
    """What the caller wants, however it said so; ``source`` is the parameter it used."""

    source: str
    effort: str | None = None
    budget: int | None = None
    is_shown: bool = True


def think(draft: RequestDraft) -> None:
    wish = _wish(draft)
    if wish is None:
        return
    if not thinks(draft.model):
        if wish.effort != "none":
            draft.note("dropped", wish.source, f"{draft.model} does not think")
        return
    if wish.effort is not None and wish.effort not in LEVELS:
        draft.note("dropped", wish.source, f"{wish.effort} is no effort: {', '.join(LEVELS)}")
        return
    config = _amount(draft, wish)
    if config.get("thinkingBudget") != 0:
        config["includeThoughts"] = wish.is_shown and wish.effort != "none"
    draft.put("thinkingConfig", config)


def _wish(draft: RequestDraft) -> Wish | None:
    """The budget wins over the effort where both are given: it says more."""
    given = {name: raw for name in NAMES if (raw := draft.take(name)) is not None}
    if not given:
        return None
    reasoning = msgspec.convert(given.get("reasoning") or {}, Reasoning)
    thinking = msgspec.convert(given.get("thinking") or {}, Thinking)
    effort = given.get("reasoning_effort") or reasoning.effort
    budget = reasoning.max_tokens
    if "thinking" in given and budget is None:
        budget = thinking.budget_tokens
    if thinking.type == "disabled" or (reasoning.enabled is False and effort is None):
        effort, budget = "none", None
    if effort is not None and budget is not None:
        source = "reasoning_effort" if "reasoning_effort" in given else "reasoning"
        draft.note("dropped", source, "a budget in tokens is given, too, and says more")
        effort = None
    is_shown = not reasoning.exclude and given.get("include_reasoning") is not False
    return Wish(next(iter(given)), effort, budget, is_shown)


def _amount(draft: RequestDraft, wish: Wish) -> dict[str, Any]:
    """Neither level nor budget where the caller only wants it to think: it chooses by itself."""
    if wish.budget is not None:
        return _budget(draft, wish, wish.budget, str(wish.budget))
    if wish.effort is None:
        return {}
    if not takes_levels(draft.model):
        return _budget(draft, wish, EFFORT_BUDGETS.get(wish.effort, 0), wish.effort)
    level = nearest_level(draft.model, wish.effort)
    if level != wish.effort:
        draft.note(
            "clamped", wish.source, f"{draft.model} has no {wish.effort}; {level} is nearest"
        )
    return {"thinkingLevel": level}


def _budget(draft: RequestDraft, wish: Wish, budget: int, said: str) -> dict[str, Any]:
    taken = nearest_budget(draft.model, budget)
    if taken != budget:
        reason = f"{draft.model} thinks for {taken} tokens where {said} was wanted"
        draft.note("clamped", wish.source, reason)
    return {"thinkingBudget": taken}
