"""The parts of the Messages API that each Claude model supports, by the version in its name.

Sources: platform.claude.com/docs: build-with-claude/thinking, build-with-claude/effort,
build-with-claude/structured-outputs, agents-and-tools/tool-use, models/overview and the migration
guides of 4.7, 5 and 5.5, as of November 2026. The rules depend on versions and not on whole names,
so that a model newer than this file gets the rules of the newest version in it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Version = tuple[int, int]
ThinkingMode = Literal["none", "budget", "either", "adaptive"]

NAME = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2})(?!\d))?"
    r"|(?P<old_major>\d{1,2})(?:[.-](?P<old_minor>\d{1,2})(?!\d))?(?:-(?P<old_family>[a-z]+))?)"
    r"(?!\d)"
)
"""claude-sonnet-4-5-20250929, claude-3-7-sonnet@20250219, us.anthropic.claude-opus-4-5-v1:0."""

EFFORTS: tuple[tuple[Version, tuple[str, ...]], ...] = (
    ((4, 7), ("low", "medium", "high", "xhigh", "max")),
    ((4, 6), ("low", "medium", "high", "max")),
)
MAX_OUTPUT_TOKENS: tuple[tuple[Version, int], ...] = (
    ((4, 6), 128_000),
    ((3, 7), 64_000),
    ((3, 5), 8_192),
)
OLDEST_MAX_OUTPUT_TOKENS = 4_096
OPUS_4_MAX_OUTPUT_TOKENS = 32_000
"""Opus 4 and 4.1 have a lower maximum than Sonnet 4."""
ALWAYS_THINKS: dict[str, Version] = {"fable": (5, 0), "mythos": (5, 0), "opus": (5, 5)}
"""The version from which thinking cannot be disabled, by family."""
REFUSES_FORCED_TOOLS: dict[str, Version] = {
    "fable": (5, 1),
    "mythos": (5, 1),
    "opus": (5, 5),
    "sonnet": (5, 5),
}
"""The version from which every request with ``tool_choice`` any or tool is refused, by family."""
NEVER: Version = (99, 0)


class ModelRules(Struct, frozen=True, kw_only=True):
    """The parameters that one model supports; the defaults are for a name without a version."""

    thinking: ThinkingMode = "adaptive"
    """The types of ``thinking`` that it takes: enabled with a budget of tokens, adaptive, either
    of the two, or none."""
    thinks_by_default: bool = False
    """It thinks when the request has no ``thinking``."""
    disabled_type: str | None = "disabled"
    """The type of ``thinking`` that disables it. None: it always thinks."""
    efforts: tuple[str, ...] = EFFORTS[0][1]
    """The values that ``output_config.effort`` takes."""
    sampling: Literal["both", "one", "none"] = "both"
    """Whether it takes temperature and top_p together, one of them, or no sampling parameter."""
    forced_tools: bool = True
    """``tool_choice`` may require a call."""
    prefill: bool = True
    """It continues a last message of the assistant."""
    structured_outputs: bool = True
    """It takes ``output_config.format`` and strict tools."""
    max_output_tokens: int = MAX_OUTPUT_TOKENS[0][1]


@lru_cache(maxsize=1024)
def model_rules(name: str) -> ModelRules:
    """The rules for a model's name as any platform spells it."""
    found = NAME.search(name.lower())
    if found is None:
        return ModelRules()
    family = found["family"] or found["old_family"] or ""
    version = _version(found)
    return ModelRules(
        thinking=_thinking(version),
        thinks_by_default=version >= (5, 0),
        disabled_type=_disabled_type(family, version),
        efforts=_efforts(family, version),
        sampling="none" if version >= (4, 7) else "one" if version >= (4, 1) else "both",
        forced_tools=version < REFUSES_FORCED_TOOLS.get(family, NEVER),
        prefill=version < (4, 6),
        structured_outputs=version >= (4, 5),
        max_output_tokens=_max_output_tokens(family, version),
    )


def _version(found: re.Match[str]) -> Version:
    major = found["major"] or found["old_major"]
    return int(major), int(found["minor"] or found["old_minor"] or 0)


def _thinking(version: Version) -> ThinkingMode:
    if version >= (4, 7):
        return "adaptive"
    if version >= (4, 6):
        return "either"
    return "budget" if version >= (3, 7) else "none"


def _disabled_type(family: str, version: Version) -> str | None:
    if version >= ALWAYS_THINKS.get(family, NEVER):
        return None
    # Sonnet 5.5 still thinks between tool calls in its lowest setting, which has this name.
    return "between_tools" if family == "sonnet" and version >= (5, 5) else "disabled"


def _efforts(family: str, version: Version) -> tuple[str, ...]:
    for since, efforts in EFFORTS:
        if version >= since:
            return efforts
    return ("low", "medium", "high") if (family, version) == ("opus", (4, 5)) else ()


def _max_output_tokens(family: str, version: Version) -> int:
    if family == "opus" and (4, 0) <= version <= (4, 1):
        return OPUS_4_MAX_OUTPUT_TOKENS
    known = (tokens for since, tokens in MAX_OUTPUT_TOKENS if version >= since)
    return next(known, OLDEST_MAX_OUTPUT_TOKENS)
