"""How much a model is to reason, in the words that its generation takes.

Three generations (platform.claude.com/docs/en/build-with-claude/thinking): a budget of tokens;
adaptive, with ``output_config.effort`` as the measure; and adaptive that cannot be switched off.
A budget is part of ``max_tokens`` and smaller, and goes with no forced tool and, while a tool's
result is being answered, only with the signed thinking that led to the call.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.providers.anthropic.request_draft import AnthropicDraft

LEAST_BUDGET = 1024
BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32000,
    "max": 32000,
}
"""What an effort comes to where only budgets are understood; there is no official table."""
NEAREST = {"minimal": "low", "xhigh": "max"}
"""The effort to use in place of one that a model does not have."""
OFF = ("disabled", "between_tools")
FORCED = ("any", "tool")


class Wish(Struct, frozen=True, kw_only=True):
    """What the caller asked for, under whichever name."""

    parameter: str
    level: str | None = None
    budget: int | None = None
    off: bool = False
    details: dict[str, Any] = {}
    """``display`` and what else goes with Anthropic's own ``thinking``."""


def think(draft: AnthropicDraft, replays_thinking: bool) -> None:
    """Put ``thinking`` and ``output_config.effort`` for what was asked. ``replays_thinking`` is
    False where the last answer called tools and its signed thinking is not in the messages."""
    wish = _wish(draft)
    if wish is None:
        return
    rules = draft.rules
    if wish.off:
        _switch_off(draft, wish)
    elif rules.thinking == "none":
        draft.note("dropped", wish.parameter, f"{draft.model} does not think")
    elif rules.thinking == "adaptive" or (rules.thinking == "either" and wish.budget is None):
        _as_it_sees_fit(draft, wish)
    elif draft.value("tool_choice", {}).get("type") in FORCED:
        draft.note(
            "dropped", wish.parameter, f"{draft.model} does not think where a call is forced"
        )
    elif not replays_thinking:
        reason = "the last answer's signed thinking is not in the messages to go on from"
        draft.note("dropped", wish.parameter, reason)
    else:
        _with_budget(draft, wish)


def _wish(draft: AnthropicDraft) -> Wish | None:
    native = draft.take_object("thinking")
    reasoning = draft.take_object("reasoning")
    effort = draft.take("reasoning_effort")
    level = effort or reasoning.get("effort")
    if not native and not level and not reasoning:
        return None
    details = {k: v for k, v in native.items() if k not in ("type", "budget_tokens")}
    if reasoning.get("exclude"):
        details.setdefault("display", "omitted")
    kind = native.get("type")
    return Wish(
        parameter="thinking" if native else "reasoning_effort" if effort else "reasoning",
        level=level,
        budget=native.get("budget_tokens") or reasoning.get("max_tokens"),
        off=level == "none" or reasoning.get("enabled") is False or kind in OFF,
        details=details,
    )


def _switch_off(draft: AnthropicDraft, wish: Wish) -> None:
    rules = draft.rules
    if not rules.thinks_unasked:
        return
    if rules.off is not None:
        draft.put("thinking", {"type": rules.off})
        return
    draft.configure("effort", "low")
    draft.note("emulated", wish.parameter, f"{draft.model} always thinks; its effort is low")


def _as_it_sees_fit(draft: AnthropicDraft, wish: Wish) -> None:
    thinking = {"type": "adaptive", **wish.details}
    if draft.rules.thinking == "adaptive":
        # From 4.7 on the text of thoughts is left out unless it is asked for.
        thinking.setdefault("display", "summarized")
    draft.put("thinking", thinking)
    level = wish.level
    if wish.budget is not None:
        level = level or _level(wish.budget)
        reason = f"{draft.model} takes no budget; its effort is {level}"
        draft.note("emulated", wish.parameter, reason)
    _put_effort(draft, wish, level)


def _put_effort(draft: AnthropicDraft, wish: Wish, level: str | None) -> None:
    if level is None:
        return
    efforts = draft.rules.efforts
    taken = level if level in efforts else NEAREST.get(level, level)
    if taken not in efforts and level in BUDGETS:
        taken = "high"
    if taken != level:
        draft.note("clamped", wish.parameter, f"the nearest effort to {level} is {taken} there")
    draft.configure("effort", taken)


def _level(budget: int) -> str:
    return next((level for level, tokens in BUDGETS.items() if tokens >= budget), "xhigh")


def _with_budget(draft: AnthropicDraft, wish: Wish) -> None:
    budget = _fitting(draft, wish)
    if budget is None:
        reason = f"max_tokens leaves no room for {LEAST_BUDGET} tokens of thinking"
        draft.note("dropped", wish.parameter, reason)
        return
    if wish.budget is None:
        draft.note("emulated", wish.parameter, f"thinking has a budget of {budget} tokens")
    elif budget != wish.budget:
        draft.note("clamped", wish.parameter, f"the budget is {budget} tokens")
    draft.put("thinking", {"type": "enabled", "budget_tokens": budget, **wish.details})
    if draft.rules.efforts and wish.level is not None:
        _put_effort(draft, wish, wish.level)


def _fitting(draft: AnthropicDraft, wish: Wish) -> int | None:
    """The budget that goes into max_tokens; where that was not given, it will have room. One that
    we chose leaves half of it to the answer."""
    limit = draft.value("max_tokens", draft.rules.limit)
    if not isinstance(limit, int):
        raise TypeError("max_tokens is no whole number")
    if limit <= LEAST_BUDGET:
        return None
    half = max(LEAST_BUDGET, limit // 2)
    if wish.budget is None:
        return min(half, BUDGETS.get(wish.level or "", BUDGETS["medium"]))
    budget = max(LEAST_BUDGET, wish.budget)
    return budget if budget < limit else half
