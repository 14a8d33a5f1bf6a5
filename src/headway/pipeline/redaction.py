"""Remove secrets from texts that a provider sent: some quote the key that they refuse."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from headway.errors import HeadwayError
from headway.policy.keys import KEY_HEADERS
from headway.types import Headers, Target

SHORTEST_SECRET = 6
"""Characters. A shorter text is no key, and removing it would remove ordinary words."""

SHORTEST_TOKEN = 16
"""Characters. A shorter text in an Authorization header is a placeholder, such as ``unused``."""
AUTHORIZATION = (b"authorization", *KEY_HEADERS)
ERROR_FIELDS = ("message", "code", "param", "details")


def authorization_tokens(headers: Headers) -> list[str]:
    """The keys in a request's headers. The request may quote them, and so may the response."""
    return [
        token
        for name, value in headers
        if name in AUTHORIZATION
        and len(token := value.decode("latin-1").rpartition(" ")[2]) >= SHORTEST_TOKEN
    ]


class Secretive(Protocol):
    @property
    def secrets(self) -> list[str]:
        """Configured values that nobody may be shown."""


def find_secrets(
    tried: Iterable[tuple[Secretive, Target]], headers: Headers, own_key: str | None
) -> list[str]:
    """All that an error may not quote: of what a request was sent to, of its headers, and the
    client's own key for the provider."""
    secrets = authorization_tokens(headers)
    for upstream, target in tried:
        secrets += [*upstream.secrets, *target.credentials.values()]
    return [*secrets, own_key] if own_key else secrets


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
