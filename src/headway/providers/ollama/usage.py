"""Ollama's token counts (docs.ollama.com/api/usage)."""

from __future__ import annotations

from headway.events import UsageReported
from headway.providers.openai_usage import openai_counts
from headway.types import Usage


def read_usage(prompt: int | None, completion: int | None) -> UsageReported | None:
    """From ``prompt_eval_count`` and ``eval_count``; None where both are missing. Older servers do
    not count a prompt that is in the cache as a whole."""
    if prompt is None and completion is None:
        return None
    usage = Usage(input_tokens=prompt, output_tokens=completion)
    return UsageReported(usage, openai_counts(usage))
