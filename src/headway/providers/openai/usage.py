"""Token counts in OpenAI's format, and the fields in which vendors with the same format put the
same counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import UsageReported
from headway.providers.reported_cost import read_cost
from headway.types import Usage


class PromptDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class OpenAIUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    cached_tokens: int | None = None
    """Together's and Moonshot's."""
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's."""
    num_cached_tokens: int | None = None
    """Mistral's in the past."""
    reasoning_tokens: int | None = None
    """SGLang's and Perplexity's."""
    cost: Any = None
    """This and the next four: ``providers.reported_cost``."""
    cost_details: Any = None
    is_byok: Any = None
    cost_in_usd_ticks: Any = None
    estimated_cost: Any = None


NO_PROMPT_DETAILS = PromptDetails()
NO_COMPLETION_DETAILS = CompletionDetails()

_decode_usage = msgspec.json.Decoder(OpenAIUsage, strict=False).decode
"""Not strict: servers whose language has one type of number write 12.0."""


def decode_usage(raw: Raw) -> UsageReported:
    """The counts, and ``raw`` as the reply shows it."""
    copied = raw.copy()
    return UsageReported(normalize_usage(_decode_usage(copied)), copied)


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
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=prompt.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens if reasoning is None else reasoning,
        input_audio_tokens=prompt.audio_tokens,
        output_audio_tokens=completion.audio_tokens,
        cost_usd=_cost(usage),
    )


def _cost(usage: OpenAIUsage) -> Decimal | None:
    cost, ticks, estimated = usage.cost, usage.cost_in_usd_ticks, usage.estimated_cost
    if cost is None is ticks is estimated:
        return None
    return read_cost(cost, ticks, estimated, usage.is_byok, usage.cost_details)


def first_known(count: int | None, other: int | None) -> int | None:
    return other if count is None else count
