"""Anthropic's counts of tokens (platform.claude.com/docs/en/build-with-claude/prompt-caching,
"Tracking cache performance"). They are cumulative; ``input_tokens`` excludes cached tokens."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import UsageReported
from headway.providers.openai_usage import openai_usage
from headway.providers.reported_cost import read_cost
from headway.types import Usage


class CacheCreation(Struct):
    ephemeral_1h_input_tokens: int | None = None


class OutputTokensDetails(Struct):
    thinking_tokens: int | None = None


class WireUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: Any = None
    cost: Any = None
    cost_details: Any = None
    is_byok: Any = None
    service_tier: str | None = None


def usage_reported(wire: WireUsage) -> UsageReported:
    usage = canonical_usage(wire, wire.output_tokens)
    fields = openai_usage(usage)
    fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    if wire.server_tool_use is not None:
        fields["server_tool_use"] = wire.server_tool_use
    return UsageReported(usage, fields)


def canonical_usage(wire: WireUsage, output_tokens: int | None) -> Usage:
    return Usage(
        input_tokens=_input_tokens(wire),
        output_tokens=output_tokens,
        cache_read_tokens=wire.cache_read_input_tokens,
        cache_write_tokens=wire.cache_creation_input_tokens,
        cache_write_1h_tokens=(wire.cache_creation or CacheCreation()).ephemeral_1h_input_tokens,
        reasoning_tokens=(wire.output_tokens_details or OutputTokensDetails()).thinking_tokens,
        cost_usd=read_cost(wire.cost, is_byok=wire.is_byok, details=wire.cost_details),
    )


def _input_tokens(wire: WireUsage) -> int | None:
    """The whole prompt: the sum of Anthropic's input, cache reads and cache writes."""
    if wire.input_tokens is None:
        return None
    cached = (wire.cache_read_input_tokens or 0) + (wire.cache_creation_input_tokens or 0)
    return wire.input_tokens + cached
