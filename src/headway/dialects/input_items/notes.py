"""The transformations of one conversion, each once, in the order in which they were made."""

from __future__ import annotations

from headway.types import Transformation


class Notes:
    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Transformation, None] = {}

    def drop(self, parameter: str, reason: str) -> None:
        self._found[Transformation("dropped", parameter, reason)] = None

    def emulate(self, parameter: str, method: str) -> None:
        self._found[Transformation("emulated", parameter, method)] = None

    @property
    def transformations(self) -> tuple[Transformation, ...]:
        return tuple(self._found)
