"""The gateway's own keys: whether a request holds one, and which.

Rules of this file: the raw key is never compared, stored or used to look anything up. Its SHA-256
is compared with every digest of the ring in constant time, each time anew, so neither a cache nor
an early end tells how near a guess was.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import NewType

from msgspec import Struct

from headway.errors import Unauthorized
from headway.types import Headers

KeyId = NewType("KeyId", str)
"""Names a key without being one: the first eight hex digits of its SHA-256."""

ANONYMOUS = KeyId("anonymous")
"""Whoever calls a gateway that has no keys."""

HOW = "send it as `Authorization: Bearer <key>` or as `x-api-key: <key>`"


class KeyRing(Struct, frozen=True):
    """The keys that open the gateway, as digests; an empty ring lets everyone in."""

    digests: tuple[tuple[bytes, KeyId], ...] = ()

    @classmethod
    def from_keys(cls, keys: Iterable[str]) -> KeyRing:
        return cls(tuple(_named(sha256(key.encode()).digest()) for key in keys))


def _named(digest: bytes) -> tuple[bytes, KeyId]:
    return digest, KeyId(digest[:4].hex())


def authorize(headers: Headers, keys: KeyRing) -> KeyId:
    """Who calls: the first of the presented keys that is in the ring. Raises Unauthorized.

    Header names are lower case. A request may hold both headers (an SDK that insists on one of its
    own beside the other); one right key is enough.
    """
    if not keys.digests:
        return ANONYMOUS
    presented = False
    for name, value in headers:
        if name == b"authorization":
            candidate = _bearer(value)
        elif name == b"x-api-key":
            candidate = value
        else:
            continue
        if candidate:
            presented = True
            if (found := _find(candidate, keys)) is not None:
                return found
    raise _refusal(presented)


def _bearer(value: bytes) -> bytes:
    """The token of ``Bearer <token>`` (RFC 6750 section 2.1); the scheme's case does not matter
    (RFC 9110 section 11.1). Empty for another scheme."""
    return value[7:].strip(b" ") if value[:7].lower() == b"bearer " else b""


def _find(candidate: bytes, keys: KeyRing) -> KeyId | None:
    """Compares with all, also after a match: the time says nothing about the position."""
    digest = sha256(candidate).digest()
    found = None
    for known, key_id in keys.digests:
        if compare_digest(digest, known):
            found = key_id
    return found


def _refusal(presented: bool) -> Unauthorized:
    if presented:
        return Unauthorized("the gateway key is not valid", code="invalid_api_key")
    return Unauthorized(f"this gateway wants a key of its own: {HOW}", code="missing_api_key")
