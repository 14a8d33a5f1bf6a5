"""Differences between Cohere's models, by their names."""

from __future__ import annotations

import re

NON_REASONING = re.compile(
    r"(?:.*/)?(?:command-?(?:$|light|nightly|r)|command-a(?:$|-\d|-vision|-translate)|.*aya)"
)
NO_TOOL_CHOICE = re.compile(r"(?:.*/)?(?:command(?:$|-light|-nightly|-r(?!7b))|.*aya)")


def supports_reasoning(model: str) -> bool:
    """True for an unknown model: new models are more likely to reason than not."""
    return NON_REASONING.match(model) is None


def supports_tool_choice(model: str) -> bool:
    """``tool_choice`` is known to command-r7b and to later models."""
    return NO_TOOL_CHOICE.match(model) is None
