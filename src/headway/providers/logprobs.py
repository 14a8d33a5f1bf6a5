"""Log probabilities of tokens, of providers that leave out what OpenAI's clients require."""

from __future__ import annotations

from typing import Any

from headway.events import Logprobs

REQUIRED = frozenset({"bytes", "top_logprobs"})
"""Of an entry, beside its token. Strict clients refuse one without them, and of the Responses API
one without bytes (https://platform.openai.com/docs/api-reference/responses/object)."""


def read_logprobs(value: dict[str, Any], index: int = 0) -> Logprobs:
    """An event of OpenAI's `logprobs` object, each entry of its `content` with all fields."""
    content = value.get("content")
    if isinstance(content, list) and not all(map(_is_complete, content)):
        value = {**value, "content": [_complete(entry) for entry in content]}
    return Logprobs(value, index)


def _is_complete(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.keys() >= REQUIRED


def _complete(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    token = str(entry.get("token") or "")
    found = {"bytes": list(token.encode(errors="replace")), "top_logprobs": []}
    return {**entry, **{name: value for name, value in found.items() if name not in entry}}
