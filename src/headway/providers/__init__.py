"""The kinds of provider that Headway speaks to. An adapter is imported when it is first asked for:
all of them together take longer than all else that a server does to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from headway.providers.kinds import ALIASES, TABLE, Kind

if TYPE_CHECKING:
    from headway.providers.provider import Provider

T = TypeVar("T", Kind, "Provider")


class Named(Mapping[str, T], Generic[T]):
    """By name or alias; an alias is found and not listed."""

    def __init__(self, known: Mapping[str, Kind]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> T:
        return self._value(self._known[ALIASES.get(name, name)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _value(self, kind: Kind) -> T:
        raise NotImplementedError


class Facts(Named[Kind]):
    """What the configuration reads of each kind."""

    def _value(self, kind: Kind) -> Kind:
        return kind


class Adapters(Named["Provider"]):
    """Each kind's adapter."""

    def _value(self, kind: Kind) -> Provider:
        return kind.provider


_known = {kind.name: kind for kind in TABLE}
FACTS: Mapping[str, Kind] = Facts(_known)
KINDS: Mapping[str, Provider] = Adapters(_known)

__all__ = ("ALIASES", "FACTS", "KINDS", "Kind")
