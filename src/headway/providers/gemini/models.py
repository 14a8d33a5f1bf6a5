"""What Google's models differ in, told by their names. An unknown model is refused nothing."""

from __future__ import annotations

import re

from msgspec import Struct

VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?!\d)")
LATEST = re.compile(r"gemini-(?:pro|flash)[\w-]*-latest")
NEWEST = (99, 0)

Version = tuple[int, int]


def version_of(model: str) -> Version | None:
    """(2, 5) of gemini-2.5-pro; None for tuned models, Gemma and whatever else tells none."""
    found = VERSION.search(model)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return NEWEST if LATEST.search(model) else None


def takes_json_schema(model: str) -> bool:
    """Whether it takes JSON Schema as it is, and not only OpenAPI's selection
    (ai.google.dev/gemini-api/docs/structured-output)."""
    version = version_of(model)
    return version is None or version >= (2, 5)


def checks_signatures(model: str) -> bool:
    """From Gemini 3 on a function call of the current turn without its thought signature is a 400
    (ai.google.dev/gemini-api/docs/thought-signatures)."""
    version = version_of(model)
    return version is not None and version >= (3, 0)


def sees_tool_media(model: str) -> bool:
    """From Gemini 3 on pictures may stand inside a function's response
    (ai.google.dev/gemini-api/docs/function-calling, multimodal function responses)."""
    return checks_signatures(model)


class Budgets(Struct, frozen=True):
    """How many tokens a model may think, and whether it can be told not to."""

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
THINKING_BUDGETS: tuple[tuple[re.Pattern[str], Budgets], ...] = (
    (re.compile(r"gemini-2\.5-pro"), Budgets(128, 32768, can_be_off=False)),
    (re.compile(r"gemini-2\.5-flash-lite"), Budgets(512, 24576)),
    (re.compile(r"gemini-2\.5"), Budgets(1, 24576)),
    (re.compile(r""), Budgets(1, 2**31 - 1)),
)
# ai.google.dev/gemini-api/docs/openai, where Google maps OpenAI's efforts itself.
EFFORT_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768}
THOUGHTLESS = re.compile(r"gemini-(?:1|2\.0)|gemini-2\.5.*-(?:image|tts)|gemma|embedding")


def thinks(model: str) -> bool:
    return THOUGHTLESS.search(model) is None


def takes_levels(model: str) -> bool:
    """Gemini 3 takes a level, 2.5 a budget. One that does not tell takes a budget: both do."""
    version = version_of(model)
    return version is not None and version >= (3, 0)


def nearest_level(model: str, effort: str) -> str:
    """The effort itself where the model takes it, else the next one up, else its highest."""
    allowed = next(levels for pattern, levels in THINKING_LEVELS if pattern.search(model))
    rank = LEVELS.index(effort)
    return next((level for level in allowed if LEVELS.index(level) >= rank), allowed[-1])


def nearest_budget(model: str, budget: int) -> int:
    """The budget itself where it lies in the model's range; -1 lets the model choose."""
    limits = next(limits for pattern, limits in THINKING_BUDGETS if pattern.search(model))
    if budget == -1 or (budget == 0 and limits.can_be_off):
        return budget
    return min(max(budget, limits.low), limits.high)
