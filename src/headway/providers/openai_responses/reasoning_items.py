"""Reasoning items of the Responses API, and the ``reasoning_details`` in which chat clients keep
them between turns (OpenRouter's format: openrouter.ai/docs/use-cases/reasoning-tokens).

Nothing refers to what the provider stored: an item is sent back whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from headway.events import ReasoningDetail

FORMAT = "openai-responses-v1"
"""The ``format`` of these details, as OpenRouter names it."""
REPLAYABLE_TYPES = (b"reasoning.encrypted", b"reasoning.text")

Item = dict[str, Any]


def to_details(
    item_id: str | None, index: int, texts: Iterable[tuple[str, str]], encrypted: str | None
) -> list[ReasoningDetail]:
    """One detail for each (``summary`` or ``text``, text), and one for the encrypted content.
    ``index`` is the position of the item in the output."""
    values = [{"type": f"reasoning.{kind}", kind: text} for kind, text in texts]
    if encrypted:
        values.append({"type": "reasoning.encrypted", "data": encrypted})
    shared = {"id": item_id, "format": FORMAT, "index": index}
    return [ReasoningDetail({**value, **shared}) for value in values]


def to_items(details: Iterable[Item]) -> list[Item]:
    """The items that ``details`` were made of, each with its ``index``, which is the
    ``output_index`` of details that were streamed. Details of other providers are left out."""
    items: dict[Any, Item] = {}
    for detail in details:
        add = ADD_DETAIL.get(detail.get("type"))
        if detail.get("format") != FORMAT or add is None:
            continue
        index = detail.get("output_index", detail.get("index"))
        key = (index, detail.get("id"))
        if key not in items:
            items[key] = {"type": "reasoning", "id": key[1], "summary": [], "index": index or 0}
        add(items[key], detail)
    return [{k: v for k, v in item.items() if v is not None} for item in items.values()]


def is_summary_only(item: Item) -> bool:
    """True for a reasoning item without encrypted or plain text, which the model cannot continue
    from: it is not sent back."""
    return item.get("type") == "reasoning" and not {"encrypted_content", "content"} & item.keys()


def has_replayable_detail(details: bytes) -> bool:
    """Whether the JSON of ``reasoning_details`` has an item that is sent back."""
    return FORMAT.encode() in details and any(kind in details for kind in REPLAYABLE_TYPES)


def _add_summary(item: Item, detail: Item) -> None:
    item["summary"].append({"type": "summary_text", "text": detail.get("summary")})


def _add_text(item: Item, detail: Item) -> None:
    text = {"type": "reasoning_text", "text": detail.get("text")}
    item.setdefault("content", []).append(text)


def _add_encrypted(item: Item, detail: Item) -> None:
    item["encrypted_content"] = detail.get("data")


ADD_DETAIL: dict[Any, Callable[[Item, Item], None]] = {
    "reasoning.summary": _add_summary,
    "reasoning.text": _add_text,
    "reasoning.encrypted": _add_encrypted,
}
