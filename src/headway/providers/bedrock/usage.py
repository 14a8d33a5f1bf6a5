"""Converse's counts of tokens
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html). ``inputTokens``
excludes tokens that were read from a cache or written to one."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import UsageReported
from headway.providers.openai_usage import openai_usage
from headway.providers.server_tools import read_tool_uses
from headway.types import Usage
from headway.wire.lenient_json import Count


class CacheDetail(Struct, rename="camel"):
    ttl: str | None = None
    input_tokens: Count = 0


class WireUsage(Struct, rename="camel"):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_write_input_tokens: Count | None = None
    cache_details: list[CacheDetail] | None = None
    server_tool_usage: Any = None


def usage_reported(wire: WireUsage, latency: str | None = None) -> UsageReported:
    """``latency`` is that of ``performanceConfig``: optimized is billed at other rates
    (docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html)."""
    tools = read_tool_uses(wire.server_tool_usage)
    conditions = {**tools.conditions, "latency": latency} if latency else tools.conditions
    usage = Usage(
        input_tokens=_input_tokens(wire),
        output_tokens=wire.output_tokens,
        cache_read_tokens=wire.cache_read_input_tokens,
        cache_write_tokens=wire.cache_write_input_tokens,
        cache_write_1h_tokens=_written_for_an_hour(wire),
        web_searches=tools.web_searches,
        price_conditions=conditions,
    )
    return UsageReported(usage, openai_usage(usage))


def _input_tokens(wire: WireUsage) -> int | None:
    """The whole prompt: the sum of Converse's input, cache reads and cache writes."""
    if wire.input_tokens is None:
        return None
    cached = (wire.cache_read_input_tokens or 0) + (wire.cache_write_input_tokens or 0)
    return wire.input_tokens + cached


def _written_for_an_hour(wire: WireUsage) -> int | None:
    if wire.cache_details is None:
        return None
    return sum(detail.input_tokens for detail in wire.cache_details if detail.ttl == "1h")
