"""Anthropic's counts of tokens (platform.claude.com/docs/en/build-with-claude/prompt-caching,
"Tracking cache performance"). They are cumulative; ``input_tokens`` excludes cached tokens.

What else decides the price (about-claude/pricing): ``speed``, ``inference_geo``, the number of web
searches, and the time that code runs, which is only free beside searching and fetching.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import UsageReported
from headway.providers.openai_usage import openai_usage
from headway.providers.reported_cost import read_cost
from headway.providers.server_tools import TOOL, ToolUses, read_tool_uses
from headway.types import Usage
from headway.wire.lenient_json import Count

CODE = "code_execution"
FREE_WITH = ("web_search_requests", "web_fetch_requests")
"""Uses of tools beside which code runs at no charge."""


class CacheCreation(Struct):
    ephemeral_1h_input_tokens: Count | None = None


class OutputTokensDetails(Struct):
    thinking_tokens: Count | None = None


class WireUsage(Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: Any = None
    cost: Any = None
    cost_details: Any = None
    is_byok: Any = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


def usage_reported(wire: WireUsage) -> UsageReported:
    usage = canonical_usage(wire, wire.output_tokens)
    fields = openai_usage(usage)
    fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    if wire.server_tool_use is not None:
        fields["server_tool_use"] = wire.server_tool_use
    return UsageReported(usage, fields)


def canonical_usage(wire: WireUsage, output_tokens: int | None) -> Usage:
    tools = read_tool_uses(wire.server_tool_use)
    return Usage(
        input_tokens=_input_tokens(wire),
        output_tokens=output_tokens,
        cache_read_tokens=wire.cache_read_input_tokens,
        cache_write_tokens=wire.cache_creation_input_tokens,
        cache_write_1h_tokens=(wire.cache_creation or CacheCreation()).ephemeral_1h_input_tokens,
        reasoning_tokens=(wire.output_tokens_details or OutputTokensDetails()).thinking_tokens,
        web_searches=tools.web_searches,
        price_conditions=_price_conditions(wire, tools),
        cost_usd=read_cost(wire.cost, is_byok=wire.is_byok, details=wire.cost_details),
    )


def _price_conditions(wire: WireUsage, tools: ToolUses) -> dict[str, str]:
    conditions = dict(tools.conditions)
    if conditions.get(TOOL) == CODE and any(map(wire.server_tool_use.get, FREE_WITH)):
        del conditions[TOOL]
    if wire.speed:
        conditions["speed"] = wire.speed
    if wire.inference_geo:
        conditions["inference_geo"] = wire.inference_geo
    return conditions


def _input_tokens(wire: WireUsage) -> int | None:
    """The whole prompt: the sum of Anthropic's input, cache reads and cache writes."""
    if wire.input_tokens is None:
        return None
    cached = (wire.cache_read_input_tokens or 0) + (wire.cache_creation_input_tokens or 0)
    return wire.input_tokens + cached
