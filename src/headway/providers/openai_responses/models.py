"""Differences between OpenAI's models on the Responses API, by their names; the rules that chat
completions share are in ``providers/openai/models.py``."""

from __future__ import annotations

import re

WITHOUT_REASONING = re.compile(r"(?:.*/)?(?:ft:)?(?:gpt-[34]|chatgpt-|gpt-5.*chat)")


def rejects_reasoning(model: str) -> bool:
    """True for OpenAI's models that reject ``reasoning``. Other models may or may not reason."""
    return WITHOUT_REASONING.match(model) is not None
