"""Counts of tokens as Anthropic counts them: ``input_tokens`` without those that a cache had or got
(platform.claude.com/docs/en/build-with-claude/prompt-caching)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from headway.response_accumulator import ResponseAccumulator
from headway.types import Usage

SERVICE_TIERS = {"priority": "priority", "batch": "batch"}
"""OpenAI's tiers to Anthropic's; any other is the standard one."""


def input_usage(usage: Usage) -> dict[str, Any]:
    """The counts of the input; unknown counts are zero, because clients add them up."""
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    return {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
    }


def start_usage(usage: Usage, tier: str | None) -> dict[str, Any]:
    """The ``usage`` of a message that begins."""
    written, one_hour = usage.cache_write_tokens or 0, usage.cache_write_1h_tokens or 0
    creation = {
        "ephemeral_5m_input_tokens": max(0, written - one_hour),
        "ephemeral_1h_input_tokens": one_hour,
    }
    return {
        **input_usage(usage),
        "cache_creation": creation,
        "output_tokens": usage.output_tokens or 0,
        "service_tier": SERVICE_TIERS.get(tier or "", "standard"),
    }


def end_usage(usage: Usage) -> dict[str, Any]:
    """The ``usage`` of a message's end, which has the final counts."""
    counts = {**input_usage(usage), "output_tokens": usage.output_tokens or 0}
    return {**counts, **_details(usage)}


def whole_usage(usage: Usage, tier: str | None) -> dict[str, Any]:
    """The ``usage`` of a whole message."""
    return {**start_usage(usage, tier), **_details(usage)}


def final_usage(response: ResponseAccumulator, metrics: Struct) -> Usage:
    """What the provider reported; where it reported nothing, the gateway's count in ``metrics``."""
    usage = response.reported()
    counted = {
        name: getattr(metrics, name, None)
        for name in ("input_tokens", "output_tokens")
        if getattr(usage, name) is None
    }
    return replace(usage, **counted)


def message_id(request_id: str) -> str:
    """The id of a message, of the gateway's own id of the request."""
    return "msg_" + request_id.replace("-", "")


def _details(usage: Usage) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if usage.reasoning_tokens is not None:
        details["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.web_searches is not None:
        details["server_tool_use"] = {"web_search_requests": usage.web_searches}
    return details
