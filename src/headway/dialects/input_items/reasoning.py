"""Reasoning items of the Responses API, and the fields of chat messages that hold the same.

``encrypted_content`` is either what OpenAI encrypted, or the details of another provider's
reasoning (``wire.sealed_reasoning``), which the item of an earlier response was made of.
"""

from __future__ import annotations

from typing import Any

from headway.wire.sealed_reasoning import is_sealed, unseal

FORMAT = "openai-responses-v1"
"""The ``format`` of OpenAI's details, as OpenRouter names it."""

Item = dict[str, Any]


def details_of(item: Item, position: int) -> list[Item]:
    """The item as ``reasoning_details``; ``position`` is its place in the response's output. An
    item without ``encrypted_content`` has none: nobody could check it."""
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted:
        return []
    if is_sealed(encrypted):
        return unseal(encrypted).details
    values: list[Item] = [
        *({"type": "reasoning.summary", "summary": text} for text in _texts(item, "summary")),
        *({"type": "reasoning.text", "text": text} for text in _texts(item, "content")),
        {"type": "reasoning.encrypted", "data": encrypted},
    ]
    shared = {"id": item.get("id"), "format": FORMAT, "index": position}
    return [{**value, **shared} for value in values]


def text_of(item: Item) -> str:
    """The raw reasoning, or else its summary."""
    return "\n\n".join(_texts(item, "content") or _texts(item, "summary"))


def _texts(item: Item, name: str) -> list[str]:
    parts = item.get(name)
    texts = (part.get("text") for part in parts or () if isinstance(part, dict))
    return [text for text in texts if isinstance(text, str) and text]
