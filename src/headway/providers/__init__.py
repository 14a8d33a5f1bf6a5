"""The kinds of provider that Headway speaks to, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from headway.providers.registry import ALIASES, entries
from headway.providers.wire_formats import ProviderEntry

if TYPE_CHECKING:
    from headway.providers.base import Provider

T = TypeVar("T")


class KindMapping(Mapping[str, T], Generic[T]):
    """A value for each kind, by name or alias; iteration lists the names only."""

    def __init__(self, value: Callable[[ProviderEntry], T]) -> None:
        self._value = value

    def __getitem__(self, name: str) -> T:
        return self._value(entries()[ALIASES.get(name, name)])

    def __iter__(self) -> Iterator[str]:
        return iter(entries())

    def __len__(self) -> int:
        return len(entries())


FACTS: Mapping[str, ProviderEntry] = KindMapping(lambda entry: entry)
"""The facts of each kind that the configuration reads, without importing adapters."""
KINDS: Mapping[str, Provider] = KindMapping(lambda entry: entry.provider)
"""The adapter of each kind, imported on first use."""

__all__ = ("ALIASES", "FACTS", "KINDS", "ProviderEntry")
