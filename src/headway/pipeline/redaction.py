"""Remove secrets from texts that a provider sent: some quote the key that they refuse."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST_SECRET = 6
"""Characters. A shorter text is no key, and removing it would remove ordinary words."""


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """``text`` with each secret replaced by ``***``."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST_SECRET:
            text = text.replace(str(secret), "***")
    return text
