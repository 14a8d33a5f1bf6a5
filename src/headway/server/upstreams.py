"""The configured providers, made ready to be called: those that are likely to be at the start, the
others when they first are, for the adapter of each kind takes a while to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headway.config import Provider as Configured
from headway.pipeline.gateway import Upstream
from headway.providers import ALIASES, FACTS


class Upstreams(Mapping[str, Upstream]):
    """By configured name, or by the alias of a kind; an alias is found and not listed."""

    def __init__(
        self, configured: Mapping[str, Configured], make: Callable[[Configured], Upstream]
    ) -> None:
        self._configured = configured
        self._make = make
        self._made: dict[str, Upstream] = {}
        for name, provider in configured.items():
            if _is_likely(provider):
                self[name]

    def __getitem__(self, name: str) -> Upstream:
        found = self._made.get(name)
        if found is None:
            known = name if name in self._configured else ALIASES.get(name, name)
            found = self._made.get(known) or self._make(self._configured[known])
            self._made[name] = self._made[known] = found
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The way of every request: a second look-up only for what was never asked for."""
        found = self._made.get(name)
        return super().get(name, default) if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._configured)

    def __len__(self) -> int:
        return len(self._configured)


def _is_likely(provider: Configured) -> bool:
    """Somebody gave it a key, options, or a name or an address of its own."""
    kind = FACTS[provider.kind]
    is_elsewhere = provider.base_url != kind.base_url and provider.base_url is not None
    is_given = provider.api_key is not None or bool(provider.options) or is_elsewhere
    return is_given or provider.name not in FACTS
