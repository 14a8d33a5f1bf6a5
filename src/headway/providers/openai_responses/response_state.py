"""The state of decoding one response."""

from __future__ import annotations

from typing import Any

from headway.providers.tool_calls import OpenCall, ToolCalls


class ItemState:
    """The state of one output item while its deltas arrive."""

    __slots__ = (
        "call",
        "early_arguments",
        "has_arguments",
        "has_logprobs",
        "has_refusal",
        "paragraph",
        "text_length",
    )

    def __init__(self) -> None:
        self.text_length = 0
        """Length of the text so far, in characters."""
        self.has_logprobs = self.has_refusal = self.has_arguments = False
        self.paragraph: tuple[int | None, int | None] | None = None
        """(``summary_index``, ``content_index``) of the last delta of reasoning."""
        self.call: OpenCall | None = None
        """The call, once its name is known."""
        self.early_arguments = ""
        """Arguments that came before the name."""


class ResponseState:
    __slots__ = (
        "calls",
        "closed_items",
        "empty_items",
        "has_message",
        "has_started",
        "indexes",
        "model",
        "open_items",
        "text_length",
        "tool_uses",
        "unreported_messages",
    )

    def __init__(self) -> None:
        self.open_items: dict[int, ItemState] = {}
        """The open items by ``output_index``."""
        self.indexes: dict[str, int] = {}
        """The positions of all items by their ids."""
        self.closed_items: set[int] = set()
        self.empty_items = 0
        """Items without content. They are not sent back, so later items move up."""
        self.has_started = self.has_message = False
        self.model: str | None = None
        """As the start of the stream told it."""
        self.text_length = 0
        """Length of the text of the closed messages, in characters."""
        self.unreported_messages: list[dict[str, Any]] = []
        """The spans of closed messages that are not part of an ``output_messages`` yet."""
        self.calls = ToolCalls()
        self.tool_uses: dict[str, int] = {}
        """Uses of the provider's own tools so far."""

    def item(self, index: int) -> ItemState:
        found = self.open_items.get(index)
        if found is None:
            found = self.open_items[index] = ItemState()
        return found
