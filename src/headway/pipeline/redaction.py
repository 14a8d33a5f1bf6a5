"""Remove secrets from texts that a provider sent: some quote the key that they refuse."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from headway.errors import HeadwayError

SHORTEST_SECRET = 6
"""Characters. A shorter text is no key, and removing it would remove ordinary words."""

ERROR_FIELDS = ("message", "code", "param", "details")


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """``text`` with each secret replaced by ``***``."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST_SECRET:
            text = text.replace(str(secret), "***")
    return text


def redact_error(error: HeadwayError, secrets: Collection[str | None]) -> None:
    """Remove secrets from the fields of ``error`` that may quote the provider."""
    for name in ERROR_FIELDS:
        text = getattr(error, name)
        if text is not None:
            setattr(error, name, redact(text, secrets))
