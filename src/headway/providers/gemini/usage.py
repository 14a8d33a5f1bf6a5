"""Google's token counts (UsageMetadata), as ours and in OpenAI's shape.

Facts read off recordings: the total is prompt + tool use + candidates + thoughts; a count of zero
is left out; many chunks of a stream have counts, each for the response so far; the first chunks of
Vertex AI have a usage object without any count. Documents are counted as such in the prompt, and as
images in what was read from the cache.

``trafficType`` (Vertex AI, v1 GenerateContentResponse.UsageMetadata) says what is billed: tokens by
the tables of standard, priority and flex traffic, or throughput that was bought before.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import UsageReported
from headway.providers.gemini.grounding import ToolUses
from headway.providers.openai_usage import openai_counts
from headway.providers.server_tools import TOOL
from headway.types import Usage
from headway.wire.lenient_json import Count
from headway.wire.merge import merge_known

AUDIO = ("AUDIO", 4)
"""The modality's name and its number."""
IMAGE = ("IMAGE", 2, "DOCUMENT", 5)
VIDEO = ("VIDEO", 3)
TRAFFIC_TIERS = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}
NO_TOOLS = ToolUses()
ON_DEMAND = ("ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED")


class ModalityTokenCount(Struct, rename="camel"):
    modality: str | int | None = None
    token_count: Count = 0


class UsageMetadata(Struct, rename="camel"):
    prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    total_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    cached_content_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None
    service_tier: str | None = None
    traffic_type: str | int | None = None


def merge_counts(old: UsageMetadata | None, new: UsageMetadata) -> UsageMetadata:
    """The counts so far. A report with the prompt and the total is complete without zeros."""
    if old is None or (new.prompt_token_count and new.total_token_count):
        return new
    merged: UsageMetadata = merge_known(old, new)
    return merged


def read_usage(
    counts: UsageMetadata, tools: ToolUses = NO_TOOLS, model: str | None = None
) -> UsageReported | None:
    """None where nothing is counted yet."""
    if counts.prompt_token_count is None and counts.total_token_count is None:
        return None
    cached, output = counts.cache_tokens_details, counts.candidates_tokens_details
    prompt_details = (counts.prompt_tokens_details, counts.tool_use_prompt_tokens_details)
    usage = Usage(
        input_tokens=_input_tokens(counts),
        output_tokens=_output_tokens(counts),
        cache_read_tokens=counts.cached_content_token_count,
        reasoning_tokens=counts.thoughts_token_count,
        input_audio_tokens=_tokens_of(AUDIO, *prompt_details),
        input_image_tokens=_tokens_of(IMAGE, *prompt_details),
        input_video_tokens=_tokens_of(VIDEO, *prompt_details),
        cache_read_audio_tokens=_tokens_of(AUDIO, cached),
        cache_read_image_tokens=_tokens_of(IMAGE, cached),
        output_audio_tokens=_tokens_of(AUDIO, output),
        output_image_tokens=_tokens_of(IMAGE, output),
        output_video_tokens=_tokens_of(VIDEO, output),
        web_searches=tools.searches(model) or None,
        price_conditions=_price_conditions(counts.traffic_type, tools),
    )
    return UsageReported(usage, _openai_usage(usage))


def _input_tokens(counts: UsageMetadata) -> int | None:
    """The prompt's count includes cached tokens; a total alone does not tell it. What
    server-side tools read for the model is billed as input too
    (ai.google.dev/gemini-api/docs/url-context)."""
    if counts.prompt_token_count is None:
        return None
    return counts.prompt_token_count + (counts.tool_use_prompt_token_count or 0)


def _output_tokens(counts: UsageMetadata) -> int | None:
    """The candidates' count excludes thoughts; a quarter of the recorded usages have no count of
    candidates."""
    outputs = (counts.candidates_token_count, counts.thoughts_token_count)
    if outputs != (None, None):
        return sum(count or 0 for count in outputs)
    prompt = _input_tokens(counts)
    if counts.total_token_count is None or prompt is None:
        return None
    return max(0, counts.total_token_count - prompt)


def _tokens_of(
    modality: tuple[str | int, ...], *details: list[ModalityTokenCount] | None
) -> int | None:
    counts = [
        each.token_count for group in details for each in group or () if each.modality in modality
    ]
    return sum(counts) if counts else None


def _price_conditions(traffic: str | int | None, tools: ToolUses) -> dict[str, str]:
    """What is not billed by tokens has no price by tokens."""
    conditions = {TOOL: "google_maps"} if tools.has_maps else {}
    if isinstance(traffic, str) and traffic not in ON_DEMAND:
        tier = TRAFFIC_TIERS.get(traffic)
        conditions |= {"traffic_type": traffic} if tier is None else {"service_tier": tier}
    return conditions


def _openai_usage(usage: Usage) -> dict[str, Any]:
    known = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    fields = {**openai_counts(usage), "total_tokens": sum(known)}
    prompt = {
        "cached_tokens": usage.cache_read_tokens,
        "audio_tokens": usage.input_audio_tokens,
        "image_tokens": usage.input_image_tokens,
        "video_tokens": usage.input_video_tokens,
    }
    completion = {
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_tokens": usage.output_audio_tokens,
        "image_tokens": usage.output_image_tokens,
        "video_tokens": usage.output_video_tokens,
    }
    for name, details in (("prompt", prompt), ("completion", completion)):
        if given := {key: count for key, count in details.items() if count is not None}:
            fields[f"{name}_tokens_details"] = given
    return fields
