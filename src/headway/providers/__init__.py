"""The kinds of provider that Headway speaks to. An adapter is imported when it is first asked for:
all of them together take longer than all else that a server does to start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from headway.providers.registry import ALIASES, TABLE, Kind

if TYPE_CHECKING:
    from headway.providers.base import Provider

T = TypeVar("T")


class Named(Mapping[str, T], Generic[T]):
    """What is known of each kind, by name or alias; an alias is found and not listed."""

    def __init__(self, known: Mapping[str, Kind], value: Callable[[Kind], T]) -> None:
        self._known = known
        self._value = value

    def __getitem__(self, name: str) -> T:
        return self._value(self._known[ALIASES.get(name, name)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


_known = {kind.name: kind for kind in TABLE}
FACTS: Mapping[str, Kind] = Named(_known, lambda kind: kind)
"""What the configuration reads of each kind; imports no adapter."""
KINDS: Mapping[str, Provider] = Named(_known, lambda kind: kind.provider)
"""Each kind's adapter."""

__all__ = ("ALIASES", "FACTS", "KINDS", "Kind")
