"""Differences between OpenAI's models, by their names
(platform.openai.com/docs/guides/reasoning)."""

from __future__ import annotations

import re
from functools import lru_cache

REASONING = re.compile(r"(?:.*/)?(?:ft:)?(?:o\d|gpt-5(?!.*chat)|codex-mini)")
SAMPLING_WITHOUT_EFFORT = re.compile(r"(?:.*/)?(?:ft:)?gpt-5\.\d")


@lru_cache(256)
def is_reasoning_model(model: str) -> bool:
    """A reasoning model rejects sampling parameters and takes ``max_completion_tokens`` instead of
    ``max_tokens``."""
    return REASONING.match(model) is not None


def samples_without_effort(model: str) -> bool:
    """From gpt-5.1 on, a reasoning model takes sampling parameters in a request without effort."""
    return SAMPLING_WITHOUT_EFFORT.match(model) is not None
