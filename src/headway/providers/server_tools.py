"""What a provider's own tools were used for, as far as it is billed by number.

Reported beside the tokens:

- Anthropic, OpenRouter: ``server_tool_use`` or ``server_tool_use_details`` with
  ``web_search_requests`` and the like (about-claude/pricing; openrouter.ai/docs, Server tools).
- xAI: ``server_side_tool_usage_details`` with ``web_search_calls`` and the like, and for its former
  search ``num_sources_used`` (docs.x.ai/docs/guides/tools).
- Perplexity: ``num_search_queries`` (docs.perplexity.ai, Chat Completions).
- Bedrock: ``serverToolUsage`` (API_runtime_TokenUsage.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

TOOL = "tool"
"""The price condition that names tools for which ``Usage`` has no count."""
_WEB = re.compile(r"web_?search|num_sources|search_queries", re.IGNORECASE)
_FILES = re.compile(r"file_?search", re.IGNORECASE)
_FREE = re.compile(
    r"web_?fetch|tool_?search|mcp|function|tool_calls|computer|shell|apply_patch", re.IGNORECASE
)
"""Tools that cost tokens only, and sums of several tools."""
_UNIT = re.compile(r"_?(?:requests|calls|call)$", re.IGNORECASE)


class ToolUses(Struct, frozen=True):
    web_searches: int | None = None
    file_searches: int | None = None
    conditions: Mapping[str, str] = {}
    """``tool``: the names of the remaining ones, if there are any."""


NO_TOOLS = ToolUses()


def read_tool_uses(*reported: Any) -> ToolUses:
    """From objects that give the uses of tools by name; anything else is ignored."""
    counts: dict[str, int] = {}
    for each in reported:
        if isinstance(each, dict):
            counts.update(
                (name, uses) for name, uses in each.items() if type(uses) is int and uses > 0
            )
    return count_uses(counts)


def count_uses(counts: Mapping[str, int]) -> ToolUses:
    """``counts`` are the uses of each tool, all above zero."""
    if not counts:
        return NO_TOOLS
    web = sum(uses for name, uses in counts.items() if _WEB.search(name))
    files = sum(uses for name, uses in counts.items() if _FILES.search(name))
    further = _further_tools(counts)
    return ToolUses(web or None, files or None, {TOOL: ", ".join(further)} if further else {})


def _further_tools(names: Iterable[str]) -> list[str]:
    known = (_WEB, _FILES, _FREE)
    further = [name for name in names if not any(each.search(name) for each in known)]
    return sorted({_UNIT.sub("", name) for name in further})
