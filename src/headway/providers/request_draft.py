"""A request's parameters while an adapter turns them into its own, and what was changed so far."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Raw

from headway.types import ChatRequest, Transformation

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Draft:
    """Nulls are left out: they are parameters that were not given."""

    def __init__(self, request: ChatRequest) -> None:
        self.model = request.model
        self.parameters: dict[str, Raw] = {
            name: raw for name, raw in request.parameters.items() if bytes(raw) != b"null"
        }
        self.changes: list[Transformation] = []

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def value(self, name: str) -> Any:
        raw = self.parameters.get(name)
        return None if raw is None else _any(raw)

    def take(self, name: str) -> Any:
        """The value, which is no parameter any more."""
        raw = self.parameters.pop(name, None)
        return None if raw is None else _any(raw)

    def put(self, name: str, value: Any) -> None:
        self.parameters[name] = Raw(_encode(value))

    def note(
        self,
        action: Literal["dropped", "renamed", "clamped", "emulated"],
        parameter: str,
        reason: str,
    ) -> None:
        self.changes.append(Transformation(action, parameter, reason))
