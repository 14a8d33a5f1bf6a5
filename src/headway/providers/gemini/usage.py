"""Google's token counts (UsageMetadata), as ours and in OpenAI's shape.

Facts read off recordings: the total is prompt + tool use + candidates + thoughts; a count of zero
is left out; many chunks of a stream have counts, each for the response so far; the first chunks of
Vertex AI have a usage object without any count.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import UsageReported
from headway.providers.openai_usage import openai_counts
from headway.types import Usage
from headway.wire.merge import merge_known

AUDIO = ("AUDIO", 4)
"""The modality's name and its number."""


class ModalityTokenCount(Struct, rename="camel"):
    modality: str | int | None = None
    token_count: int = 0


class UsageMetadata(Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    total_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    service_tier: str | None = None


def merge_counts(old: UsageMetadata | None, new: UsageMetadata) -> UsageMetadata:
    """The counts so far. A report with the prompt and the total is complete without zeros."""
    if old is None or (new.prompt_token_count and new.total_token_count):
        return new
    merged: UsageMetadata = merge_known(old, new)
    return merged


def read_usage(counts: UsageMetadata) -> UsageReported | None:
    """None where nothing is counted yet."""
    if counts.prompt_token_count is None and counts.total_token_count is None:
        return None
    prompt_details = (counts.prompt_tokens_details, counts.tool_use_prompt_tokens_details)
    usage = Usage(
        input_tokens=_input_tokens(counts),
        output_tokens=_output_tokens(counts),
        cache_read_tokens=counts.cached_content_token_count,
        reasoning_tokens=counts.thoughts_token_count,
        input_audio_tokens=_audio_tokens(*prompt_details),
        output_audio_tokens=_audio_tokens(counts.candidates_tokens_details),
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


def _audio_tokens(*details: list[ModalityTokenCount] | None) -> int | None:
    counts = [
        each.token_count for group in details for each in group or () if each.modality in AUDIO
    ]
    return sum(counts) if counts else None


def _openai_usage(usage: Usage) -> dict[str, Any]:
    known = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    fields = {**openai_counts(usage), "total_tokens": sum(known)}
    prompt = {"cached_tokens": usage.cache_read_tokens, "audio_tokens": usage.input_audio_tokens}
    completion = {
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_tokens": usage.output_audio_tokens,
    }
    for name, details in (("prompt", prompt), ("completion", completion)):
        if given := {key: count for key, count in details.items() if count is not None}:
            fields[f"{name}_tokens_details"] = given
    return fields
