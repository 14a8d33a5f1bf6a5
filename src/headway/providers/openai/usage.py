"""Usage on OpenAI's wire, and where those who copied it put the same counts."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from headway.types import Usage, UsageReported


class PromptDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class WireUsage(Struct):
    """OpenAI's, and the places where those who copied it put the same counts."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    cached_tokens: int | None = None
    """Together's and Moonshot's."""
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's."""
    num_cached_tokens: int | None = None
    """Mistral's of old."""
    reasoning_tokens: int | None = None
    """SGLang's and Perplexity's."""


NO_PROMPT_DETAILS = PromptDetails()
NO_COMPLETION_DETAILS = CompletionDetails()
_usage = msgspec.json.Decoder(WireUsage, strict=False).decode
"""Not strict: servers whose language has but one kind of number write 12.0."""


def decode_usage(raw: Raw) -> UsageReported:
    """Cached tokens are part of the prompt's, reasoning is part of the completion's."""
    copied = raw.copy()
    return UsageReported(normalize(_usage(copied)), copied)


def normalize(seen: WireUsage) -> Usage:
    prompt = seen.prompt_tokens_details or NO_PROMPT_DETAILS
    completion = seen.completion_tokens_details or NO_COMPLETION_DETAILS
    cached, reasoning = prompt.cached_tokens, completion.reasoning_tokens
    if cached is None:
        cached = first(
            seen.cached_tokens, first(seen.prompt_cache_hit_tokens, seen.num_cached_tokens)
        )
    return Usage(
        input_tokens=seen.prompt_tokens,
        output_tokens=seen.completion_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=prompt.cache_write_tokens,
        reasoning_tokens=seen.reasoning_tokens if reasoning is None else reasoning,
        input_audio_tokens=prompt.audio_tokens,
        output_audio_tokens=completion.audio_tokens,
    )


def first(count: int | None, other: int | None) -> int | None:
    return other if count is None else count
