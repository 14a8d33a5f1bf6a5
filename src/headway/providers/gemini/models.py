"""Differences between Google's models, by their names. An unknown model supports everything."""

from __future__ import annotations

import re

from msgspec import Struct

VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?!\d)")
LATEST = re.compile(r"gemini-(?:pro|flash)[\w-]*-latest")
NEWEST = (99, 0)

Version = tuple[int, int]


def version_of(model: str) -> Version | None:
    """(2, 5) for gemini-2.5-pro; None for a name without a version, as those of tuned models."""
    found = VERSION.search(model)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return NEWEST if LATEST.search(model) else None


def supports_json_schema(model: str) -> bool:
    """Whether it takes JSON Schema, and not only the subset of OpenAPI
    (ai.google.dev/gemini-api/docs/structured-output)."""
    version = version_of(model)
    return version is None or version >= (2, 5)


def requires_signatures(model: str) -> bool:
    """From Gemini 3 on a function call of the current turn without its thought signature is a 400
    (ai.google.dev/gemini-api/docs/thought-signatures)."""
    return _is_gemini_3(model)


def supports_tool_media(model: str) -> bool:
    """From Gemini 3 on images may be inside a function response
    (ai.google.dev/gemini-api/docs/function-calling, multimodal function responses)."""
    return _is_gemini_3(model)


def takes_thinking_level(model: str) -> bool:
    """Gemini 3 takes a level, 2.5 a budget. A model without a version gets a budget: both take
    one."""
    return _is_gemini_3(model)


def _is_gemini_3(model: str) -> bool:
    version = version_of(model)
    return version is not None and version >= (3, 0)


class BudgetRange(Struct, frozen=True):
    """The tokens that a model may think, and whether thinking can be turned off."""

    low: int
    high: int
    can_be_off: bool = True


LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh")
"""OpenAI's efforts, from the least to the most."""

# ai.google.dev/gemini-api/docs/thinking and the page of the same name for Vertex AI. First match.
THINKING_LEVELS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"gemini-3-pro"), ("low", "high")),
    (re.compile(r"gemini-3\.1-pro"), ("low", "medium", "high")),
    (re.compile(r"gemini-3\.[78]-flash(?!-lite)"), ("low", "medium", "high")),
    (re.compile(r"gemini-3"), ("minimal", "low", "medium", "high")),
    (re.compile(r""), ("minimal", "low", "medium", "high", "xhigh")),
)
THINKING_BUDGETS: tuple[tuple[re.Pattern[str], BudgetRange], ...] = (
    (re.compile(r"gemini-2\.5-pro"), BudgetRange(128, 32768, can_be_off=False)),
    (re.compile(r"gemini-2\.5-flash-lite"), BudgetRange(512, 24576)),
    (re.compile(r"gemini-2\.5"), BudgetRange(1, 24576)),
    (re.compile(r""), BudgetRange(1, 2**31 - 1)),
)
# ai.google.dev/gemini-api/docs/openai, where Google maps OpenAI's efforts itself.
EFFORT_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768}
NON_THINKING = re.compile(r"gemini-(?:1|2\.0)|gemini-2\.5.*-(?:image|tts)|gemma|embedding")


def supports_thinking(model: str) -> bool:
    return NON_THINKING.search(model) is None


def nearest_level(model: str, effort: str) -> str:
    """The effort itself if the model takes it, else the next higher one, else its highest."""
    allowed = next(levels for pattern, levels in THINKING_LEVELS if pattern.search(model))
    rank = LEVELS.index(effort)
    return next((level for level in allowed if LEVELS.index(level) >= rank), allowed[-1])


def nearest_budget(model: str, budget: int) -> int:
    """The budget itself if it is in the model's range; -1 lets the model choose."""
    allowed = next(allowed for pattern, allowed in THINKING_BUDGETS if pattern.search(model))
    if budget == -1 or (budget == 0 and allowed.can_be_off):
        return budget
    return min(max(budget, allowed.low), allowed.high)
