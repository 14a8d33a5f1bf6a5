"""The configured providers, ready to be called. Importing an adapter takes a while, so only those
that are likely to be called are imported at the start, the others on their first call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headway.config import Provider as ProviderConfig
from headway.pipeline.gateway import Upstream
from headway.providers import ALIASES, FACTS


class Upstreams(Mapping[str, Upstream]):
    """The upstreams by configured name, or by the alias of a kind. Aliases, and servers of one's
    own that nobody configured, are found but not listed."""

    def __init__(
        self,
        configured: Mapping[str, ProviderConfig],
        new_upstream: Callable[[ProviderConfig], Upstream],
    ) -> None:
        self._configured = configured
        self._new_upstream = new_upstream
        self._made: dict[str, Upstream] = {}
        for name, provider in configured.items():
            if _is_likely(provider):
                self[name]

    def __getitem__(self, name: str) -> Upstream:
        found = self._made.get(name)
        if found is None:
            known = name if name in self._configured else ALIASES.get(name, name)
            found = self._made.get(known) or self._new_upstream(self._configured[known])
            self._made[name] = self._made[known] = found
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Called for every request; usually the upstream exists already."""
        found = self._made.get(name)
        return super().get(name, default) if found is None else found

    def __iter__(self) -> Iterator[str]:
        return (name for name, one in self._configured.items() if not one.lacks_address)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_likely(provider: ProviderConfig) -> bool:
    """It is configured with a key, options, or a name or an address other than its kind's."""
    kind = FACTS[provider.kind]
    is_elsewhere = provider.base_url != kind.base_url and provider.base_url is not None
    is_configured = provider.api_key is not None or bool(provider.options) or is_elsewhere
    return is_configured or provider.name not in FACTS
