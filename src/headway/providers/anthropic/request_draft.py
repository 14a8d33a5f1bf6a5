"""A request's parameters while they are turned into Anthropic's, with what was changed noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw

from headway.providers.anthropic.models import model
from headway.types import ChatRequest, Transformation

Action = Literal["dropped", "renamed", "clamped", "emulated"]
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Draft:
    """Raw values by name; a value is only decoded by who needs it."""

    __slots__ = ("changes", "instructions", "name", "parameters", "rules")

    def __init__(self, request: ChatRequest) -> None:
        self.name = request.model
        self.rules = model(request.model)
        self.parameters: dict[str, Raw] = dict(request.parameters)
        self.changes: list[Transformation] = []
        self.instructions: list[str] = []
        """What the model is told in words because the wire has no field for it."""

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def value(self, name: str, default: Any = None) -> Any:
        raw = self.parameters.get(name)
        return default if raw is None else _any(raw)

    def take(self, name: str) -> Any:
        """The value, which is then no parameter any more; None where it was not given."""
        value = self.value(name)
        self.parameters.pop(name, None)
        return value

    def take_object(self, name: str) -> Mapping[str, Any]:
        """Raises msgspec.ValidationError for what is no object."""
        raw = self.parameters.pop(name, None)
        return {} if raw is None else msgspec.json.decode(raw, type=dict[str, Any])

    def put(self, name: str, value: Any) -> None:
        self.parameters[name] = Raw(_encode(value))

    def configure(self, name: str, value: Any) -> None:
        """Set one field of ``output_config``; what the caller set of it stands."""
        self.put("output_config", {name: value, **self.value("output_config", {})})

    def drop(self, name: str, reason: str) -> None:
        if self.parameters.pop(name, None) is not None:
            self.note("dropped", name, reason)

    def note(self, action: Action, name: str, reason: str) -> None:
        self.changes.append(Transformation(action, name, reason))
