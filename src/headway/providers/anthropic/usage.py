"""Anthropic's counts of tokens (platform.claude.com/docs/en/build-with-claude/prompt-caching,
"Tracking cache performance"): cumulative, what was cached beside the input and not in it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.types import Usage, UsageReported


class Cache(Struct):
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(Struct):
    thinking_tokens: int | None = None


class WireUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: Cache | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: Any = None
    service_tier: str | None = None


def later(first: WireUsage, last: WireUsage) -> WireUsage:
    """Counts are cumulative: the last one holds, field by field."""
    fields = (
        (name, getattr(last, name), getattr(first, name)) for name in WireUsage.__struct_fields__
    )
    return WireUsage(**{name: old if new is None else new for name, new, old in fields})


def usage_seen(wire: WireUsage) -> UsageReported:
    return UsageReported(usage_of(wire, wire.output_tokens), _shown(wire))


def usage_of(wire: WireUsage, output_tokens: int | None) -> Usage:
    return Usage(
        input_tokens=_input(wire),
        output_tokens=output_tokens,
        cache_read_tokens=wire.cache_read_input_tokens,
        cache_write_tokens=wire.cache_creation_input_tokens,
        cache_write_1h_tokens=(wire.cache_creation or Cache()).ephemeral_1h_input_tokens,
        reasoning_tokens=(wire.output_tokens_details or OutputDetails()).thinking_tokens,
    )


def _input(wire: WireUsage) -> int | None:
    """Anthropic counts what was read from a cache, or written to one, beside the input; the
    prompt is their sum."""
    if wire.input_tokens is None:
        return None
    cached = (wire.cache_read_input_tokens or 0) + (wire.cache_creation_input_tokens or 0)
    return wire.input_tokens + cached


def _shown(wire: WireUsage) -> dict[str, Any]:
    """In OpenAI's shape; ``cache_write_tokens`` is OpenRouter's name for what it lacks."""
    usage = usage_of(wire, wire.output_tokens)
    prompt, completion = usage.input_tokens, usage.output_tokens
    shown: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if prompt is None or completion is None else prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    if wire.server_tool_use is not None:
        shown["server_tool_use"] = wire.server_tool_use
    return shown
