"""What the conditions of routes read of a request."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class RoutedRequest(Struct, frozen=True, kw_only=True, gc=False):
    model: str
    """As the client named it."""
    dialect: str
    operation: str = "chat"
    """What is asked for: chat, embeddings, or a key of ``Provider.operations``."""
    headers: Mapping[str, str] = {}
    """Names in lower case; without those that carry keys."""
    tags: tuple[str, ...] = ()
    key_id: str = ""
    user: str = ""
    session_id: str = ""
    stream: bool = False
    input_tokens: int = 0
    """Estimated by length."""
    max_output_tokens: int | None = None
    needs: frozenset[str] = frozenset()
    """``tools``, ``images``, ``documents``, ``audio``, ``json_schema``, ``json_object``,
    ``reasoning``, ``logprobs``."""
    prefix: str = ""
    """A hash of the beginning of the prompt, which stays the same over a conversation."""
    now: float = 0.0
    """Unix seconds."""
    budget_left_usd: float | None = None
    """None: there is no budget."""
