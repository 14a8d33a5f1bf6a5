"""Google's thinkingConfig from the callers' ways to ask for reasoning."""

from __future__ import annotations

from typing import Any

from support.for_each import for_each
from support.gemini_wire import FLASH, adapt

PRO, LITE, OLD = "gemini-2.5-pro", "gemini-2.5-flash-lite", "gemini-2.0-flash"
PRO3, PRO31, FLASH3 = "gemini-3-pro-preview", "gemini-3.1-pro-preview", "gemini-3-flash-preview"
FLASH38, NEW = "gemini-3.8-flash", "gemini-4-hydrogen"


def budget(tokens: int, shown: bool = True) -> dict[str, Any]:
    return {"thinkingBudget": tokens, "includeThoughts": shown}


def level(name: str, shown: bool = True) -> dict[str, Any]:
    return {"thinkingLevel": name, "includeThoughts": shown}


def nearest(effort: str, sent: str, model: str) -> str:
    return f"clamped reasoning_effort: {effort} -> {sent} (nearest level of {model})"


REASONING: list[tuple[str, dict[str, Any], dict[str, Any] | None, str | None]] = [
    (FLASH, {"reasoning_effort": "low"}, budget(1024), None),
    (FLASH, {"reasoning_effort": "medium"}, budget(8192), None),
    (FLASH, {"reasoning": {"effort": "high"}}, budget(24576), None),
    (FLASH, {"reasoning_effort": "none"}, {"thinkingBudget": 0}, None),
    (
        FLASH,
        {"reasoning_effort": "xhigh"},
        budget(24576),
        "clamped reasoning_effort: xhigh -> 24576 tokens (maximum)",
    ),
    (PRO, {"reasoning_effort": "xhigh"}, budget(32768), None),
    (
        PRO,
        {"reasoning_effort": "none"},
        budget(128, False),
        "clamped reasoning_effort: none -> 128 tokens (minimum)",
    ),
    (
        LITE,
        {"reasoning": {"max_tokens": 100}},
        budget(512),
        "clamped reasoning: 100 -> 512 tokens (minimum)",
    ),
    (LITE, {"reasoning": {"max_tokens": 0}}, {"thinkingBudget": 0}, None),
    (FLASH, {"reasoning": {"max_tokens": 4096}}, budget(4096), None),
    (FLASH, {"reasoning": {"max_tokens": -1}}, budget(-1), None),
    (FLASH, {"thinking": {"type": "enabled", "budget_tokens": 2000}}, budget(2000), None),
    (FLASH, {"thinking": {"type": "disabled"}}, {"thinkingBudget": 0}, None),
    (FLASH, {"thinking": {"type": "adaptive"}}, {"includeThoughts": True}, None),
    (FLASH, {"reasoning": {"enabled": True}}, {"includeThoughts": True}, None),
    (FLASH, {"reasoning": {"enabled": False}}, {"thinkingBudget": 0}, None),
    (FLASH, {"reasoning": {"effort": "low", "exclude": True}}, budget(1024, False), None),
    (FLASH, {"include_reasoning": True}, {"includeThoughts": True}, None),
    (FLASH, {"include_reasoning": False}, {"includeThoughts": False}, None),
    (
        FLASH,
        {"reasoning_effort": "immense"},
        None,
        "dropped reasoning_effort: must be one of none, minimal, low, medium, high, xhigh",
    ),
    (
        FLASH,
        {"reasoning_effort": "low", "reasoning": {"max_tokens": 50}},
        budget(50),
        "dropped reasoning_effort: a budget of tokens is given too",
    ),
    (
        FLASH,
        {"reasoning": {"effort": "low", "max_tokens": 50}},
        budget(50),
        "dropped reasoning.effort: a budget of tokens is given too",
    ),
    (FLASH3, {"reasoning_effort": "minimal"}, level("minimal"), None),
    (
        FLASH3,
        {"reasoning_effort": "none"},
        level("minimal", False),
        nearest("none", "minimal", FLASH3),
    ),
    (FLASH3, {"reasoning": {"max_tokens": 700}}, budget(700), None),
    (PRO3, {"reasoning_effort": "minimal"}, level("low"), nearest("minimal", "low", PRO3)),
    (PRO3, {"reasoning_effort": "medium"}, level("high"), nearest("medium", "high", PRO3)),
    (PRO31, {"reasoning_effort": "medium"}, level("medium"), None),
    (PRO31, {"reasoning_effort": "xhigh"}, level("high"), nearest("xhigh", "high", PRO31)),
    (FLASH38, {"reasoning_effort": "minimal"}, level("low"), nearest("minimal", "low", FLASH38)),
    (NEW, {"reasoning_effort": "xhigh"}, level("xhigh"), None),
    ("gemini-pro-latest", {"reasoning_effort": "low"}, level("low"), None),
    ("tunedModels/mine", {"reasoning_effort": "low"}, budget(1024), None),
    (OLD, {"reasoning_effort": "low"}, None, f"dropped reasoning_effort: unsupported by {OLD}"),
    (OLD, {"reasoning_effort": "none"}, None, None),
]


@for_each(
    ("model", "given", "config", "noted"), REASONING, ids=[f"{c[0]} {c[1]}" for c in REASONING]
)
def test_reasoning_becomes_a_thinking_config(
    model: str, given: dict[str, Any], config: dict[str, Any] | None, noted: str | None
) -> None:
    kept = {} if config is None else {"thinkingConfig": config}
    assert adapt(given, model) == (kept, [] if noted is None else [noted])
