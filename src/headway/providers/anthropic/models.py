"""What each Claude model takes of the Messages API, told by the version in its name.

Sources: platform.claude.com/docs: build-with-claude/thinking, build-with-claude/effort,
build-with-claude/structured-outputs, agents-and-tools/tool-use, models/overview and the migration
guides of 4.7, 5 and 5.5, as of November 2026. Rules are on versions and not on names, so that a
model which is newer than this file is taken to be like the newest that it knows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Version = tuple[int, int]
Thinking = Literal["none", "budget", "either", "adaptive"]

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
LIMITS: tuple[tuple[Version, int], ...] = (
    ((4, 6), 128_000),
    ((3, 7), 64_000),
    ((3, 5), 8_192),
)
SMALLEST_LIMIT = 4_096
OPUS_4_LIMIT = 32_000
"""Opus 4 and 4.1 write less than Sonnet 4 does."""
ALWAYS_THINKS: dict[str, Version] = {"fable": (5, 0), "mythos": (5, 0), "opus": (5, 5)}
"""Since which version thinking cannot be switched off."""
REFUSES_FORCED_TOOLS: dict[str, Version] = {
    "fable": (5, 1),
    "mythos": (5, 1),
    "opus": (5, 5),
    "sonnet": (5, 5),
}
"""Since which version ``tool_choice`` any and tool are refused on every request."""


class Model(Struct, frozen=True, kw_only=True):
    """What one model takes; the defaults are for one whose name tells nothing."""

    thinking: Thinking = "adaptive"
    """How it is told to think: with a budget of tokens, as it sees fit, either, or not at all."""
    thinks_unasked: bool = False
    """It thinks where nothing is said of thinking."""
    off: str | None = "disabled"
    """The type of ``thinking`` that switches it off. None: it always thinks."""
    efforts: tuple[str, ...] = EFFORTS[0][1]
    """The values that ``output_config.effort`` takes."""
    samples: Literal["both", "one", "none"] = "both"
    """Whether it takes temperature and top_p together, one of them, or no sampling at all."""
    forced_tools: bool = True
    """``tool_choice`` may demand a call."""
    schemas: bool = True
    """Structured outputs: ``output_config.format`` and strict tools."""
    limit: int = LIMITS[0][1]
    """The most tokens that it writes in one answer."""


@lru_cache(maxsize=1024)
def model(name: str) -> Model:
    """The rules for a model's name as any platform spells it."""
    found = NAME.search(name.lower())
    if found is None:
        return Model()
    family = found["family"] or found["old_family"] or ""
    version = _version(found)
    return Model(
        thinking=_thinking(version),
        thinks_unasked=version >= (5, 0),
        off=_off(family, version),
        efforts=_efforts(family, version),
        samples="none" if version >= (4, 7) else "one" if version >= (4, 1) else "both",
        forced_tools=version < REFUSES_FORCED_TOOLS.get(family, (99, 0)),
        schemas=version >= (4, 5),
        limit=_limit(family, version),
    )


def _version(found: re.Match[str]) -> Version:
    major = found["major"] or found["old_major"]
    return int(major), int(found["minor"] or found["old_minor"] or 0)


def _thinking(version: Version) -> Thinking:
    if version >= (4, 7):
        return "adaptive"
    if version >= (4, 6):
        return "either"
    return "budget" if version >= (3, 7) else "none"


def _off(family: str, version: Version) -> str | None:
    if version >= ALWAYS_THINKS.get(family, (99, 0)):
        return None
    # Sonnet 5.5 still thinks between the calls of tools, and calls that its lowest setting.
    return "between_tools" if family == "sonnet" and version >= (5, 5) else "disabled"


def _efforts(family: str, version: Version) -> tuple[str, ...]:
    for since, efforts in EFFORTS:
        if version >= since:
            return efforts
    return ("low", "medium", "high") if (family, version) == ("opus", (4, 5)) else ()


def _limit(family: str, version: Version) -> int:
    if family == "opus" and (4, 0) <= version <= (4, 1):
        return OPUS_4_LIMIT
    return next((limit for since, limit in LIMITS if version >= since), SMALLEST_LIMIT)
