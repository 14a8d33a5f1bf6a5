"""Log probabilities of tokens, of providers that leave out what OpenAI's clients require."""

from __future__ import annotations

from typing import Any

from headway.events import Logprobs

REQUIRED: dict[str, Any] = {"bytes": None, "top_logprobs": []}
"""https://platform.openai.com/docs/api-reference/chat/object: `bytes` is nullable, both are
required. Strict clients refuse an entry without them."""


def read_logprobs(value: dict[str, Any], index: int = 0) -> Logprobs:
    """An event of OpenAI's `logprobs` object, each entry of its `content` with all fields."""
    content = value.get("content")
    if isinstance(content, list) and not all(map(_is_complete, content)):
        value = {**value, "content": [_complete(entry) for entry in content]}
    return Logprobs(value, index)


def _is_complete(entry: Any) -> bool:
    return isinstance(entry, dict) and REQUIRED.keys() <= entry.keys()


def _complete(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    missing = {name: value for name, value in REQUIRED.items() if name not in entry}
    return {**entry, **missing}
