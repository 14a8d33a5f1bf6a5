"""Which provider answered a conversation last, of the conversations that this process answered."""

from __future__ import annotations

MAX_CONVERSATIONS = 10_000


class ConversationOwners:
    """The longest unused are forgotten."""

    def __init__(self) -> None:
        self._providers: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        provider = self._providers.pop(name, None)
        if provider is not None:
            self._providers[name] = provider
        return provider

    def put(self, name: str, provider: str) -> None:
        self._providers.pop(name, None)
        if len(self._providers) >= MAX_CONVERSATIONS:
            del self._providers[next(iter(self._providers))]
        self._providers[name] = provider
