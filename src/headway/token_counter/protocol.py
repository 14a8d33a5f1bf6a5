"""The messages between the two processes: one line of JSON for each request and each reply."""

from __future__ import annotations

from msgspec import Raw, Struct


class CountRequest(Struct, array_like=True):
    model: str
    messages: Raw
    """The chat's messages as JSON."""
    output: str
    """The text that the model produced."""


class TokenCounts(Struct, array_like=True):
    input: int
    output: int
