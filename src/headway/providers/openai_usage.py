"""Token counts in the shape of OpenAI's ``usage``."""

from __future__ import annotations

from typing import Any

from headway.types import Usage


def openai_counts(usage: Usage) -> dict[str, Any]:
    """The counts without details; None is unknown."""
    prompt, completion = usage.input_tokens, usage.output_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if prompt is None or completion is None else prompt + completion,
    }


def openai_usage(usage: Usage) -> dict[str, Any]:
    """``cache_write_tokens``, which OpenAI lacks, is OpenRouter's name; None is unknown."""
    return {
        **openai_counts(usage),
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
    }
