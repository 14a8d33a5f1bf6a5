"""Token counts in OpenAI's format, and the fields in which vendors with the same format put the
same counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import Event, UsageReported
from headway.providers.reported_cost import CostFields, read_reported_cost
from headway.providers.server_tools import NO_TOOLS, ToolUses, read_tool_uses
from headway.types import Usage
from headway.wire.lenient_json import Count, cleaner, lenient_decoder


class PromptDetails(Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None
    video_tokens: Count | None = None


class CompletionDetails(Struct):
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None
    video_tokens: Count | None = None


class OpenAIUsage(CostFields):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    cached_tokens: Count | None = None
    """Together's and Moonshot's."""
    prompt_cache_hit_tokens: Count | None = None
    """DeepSeek's."""
    num_cached_tokens: Count | None = None
    """Mistral's in the past."""
    reasoning_tokens: Count | None = None
    """SGLang's and Perplexity's."""
    search_context_size: Any = None
    """This and the next: Perplexity's."""
    citation_tokens: Count | None = None
    num_search_queries: Any = None
    """This and the next four: ``providers.server_tools``."""
    num_sources_used: Any = None
    server_side_tool_usage_details: Any = None
    server_tool_use: Any = None
    server_tool_use_details: Any = None


NO_CONDITIONS: Mapping[str, str] = {}
NO_PROMPT_DETAILS = PromptDetails()
NO_COMPLETION_DETAILS = CompletionDetails()

_decode_strictly = msgspec.json.Decoder(OpenAIUsage).decode
_decode_leniently = lenient_decoder(OpenAIUsage)
_clean = cleaner(OpenAIUsage)


def usage_events(raw: Raw) -> list[Event]:
    """At most one UsageReported; none where ``raw`` is absent or no object."""
    return [decode_usage(raw)] if bytes(raw)[:1] == b"{" else []


def decode_usage(raw: Raw) -> UsageReported:
    """The counts of an object, and the object as the reply shows it: as it is, or cleaned where
    its counts have other types (servers whose language has one type of number write 12.0)."""
    copied = raw.copy()
    try:
        return UsageReported(normalize_usage(_decode_strictly(copied)), copied)
    except msgspec.ValidationError:
        return UsageReported(normalize_usage(_decode_leniently(copied)), _clean(copied))


def normalize_usage(usage: OpenAIUsage) -> Usage:
    """The same counts in the gateway's vocabulary: for both, the prompt's count includes cached
    tokens and the completion's count includes reasoning."""
    prompt = usage.prompt_tokens_details or NO_PROMPT_DETAILS
    completion = usage.completion_tokens_details or NO_COMPLETION_DETAILS
    cached, reasoning = prompt.cached_tokens, completion.reasoning_tokens
    if cached is None:
        cached = first_known(
            usage.cached_tokens, first_known(usage.prompt_cache_hit_tokens, usage.num_cached_tokens)
        )
    tools, conditions, cost = NO_TOOLS, NO_CONDITIONS, None
    if _has_more(usage):
        tools, cost = _tools(usage), read_reported_cost(usage)
        conditions = {**tools.conditions, **_conditions(usage)}
    return Usage(  # by position: keyword arguments take four times as long
        usage.prompt_tokens,
        usage.completion_tokens,
        cached,
        prompt.cache_write_tokens,
        None,  # those for one hour
        usage.reasoning_tokens if reasoning is None else reasoning,
        prompt.audio_tokens,
        prompt.image_tokens,
        prompt.video_tokens,
        None,  # the cached ones of audio
        None,  # and of images
        completion.audio_tokens,
        completion.image_tokens,
        completion.video_tokens,
        usage.citation_tokens,
        tools.web_searches,
        tools.file_searches,
        conditions,
        cost,
    )


def _has_more(usage: OpenAIUsage) -> bool:
    """Few providers report what these fields tell."""
    return bool(
        usage.cost is not None
        or usage.cost_in_usd_ticks is not None
        or usage.estimated_cost is not None
        or usage.search_context_size
        or usage.num_search_queries
        or usage.num_sources_used
        or usage.server_side_tool_usage_details
        or usage.server_tool_use
        or usage.server_tool_use_details
    )


def _tools(usage: OpenAIUsage) -> ToolUses:
    return read_tool_uses(
        {
            "num_search_queries": usage.num_search_queries,
            "num_sources_used": usage.num_sources_used,
        },
        usage.server_side_tool_usage_details,
        usage.server_tool_use,
        usage.server_tool_use_details,
    )


def _conditions(usage: OpenAIUsage) -> dict[str, str]:
    size = usage.search_context_size
    return {"search_context_size": size} if isinstance(size, str) else {}


def first_known(count: int | None, other: int | None) -> int | None:
    return other if count is None else count
