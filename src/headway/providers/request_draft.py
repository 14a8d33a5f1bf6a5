"""The parameters of a request while an adapter converts them, with the transformations so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Raw

from headway.types import ChatRequest, Transformation

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class RequestDraft:
    """Raw JSON values by name, decoded only on demand. A null parameter counts as not given."""

    def __init__(
        self, request: ChatRequest, transformations: Iterable[Transformation] = ()
    ) -> None:
        self.model = request.model
        self.parameters: dict[str, Raw] = {
            name: raw for name, raw in request.parameters.items() if bytes(raw) != b"null"
        }
        self.transformations: list[Transformation] = list(transformations)

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def value(self, name: str, default: Any = None) -> Any:
        """The decoded value, or ``default`` where it is not given."""
        raw = self.parameters.get(name)
        return default if raw is None else _decode(raw)

    def take(self, name: str) -> Any:
        """Remove the parameter and return its decoded value; None where it is not given."""
        raw = self.parameters.pop(name, None)
        return None if raw is None else _decode(raw)

    def put(self, name: str, value: Any) -> None:
        """Set the parameter to ``value``, encoded."""
        self.parameters[name] = Raw(_encode(value))

    def note(
        self,
        action: Literal["dropped", "renamed", "clamped", "emulated"],
        parameter: str,
        reason: str,
    ) -> None:
        """Add a transformation."""
        self.transformations.append(Transformation(action, parameter, reason))
