"""Authenticate clients by the gateway's own keys.

Rules of this file: the raw key is never compared, stored or used as a lookup key. Its SHA-256 is
compared with every digest of the key ring in constant time, on every request, so that no early exit
reveals how close a guess was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import NewType
from urllib.parse import parse_qsl

from msgspec import Struct

from headway.errors import Unauthorized
from headway.types import Headers

KeyId = NewType("KeyId", str)
"""Identifies a key without revealing it: the first eight hex digits of its SHA-256."""

ANONYMOUS = KeyId("anonymous")
"""Every client of a gateway without keys."""

KEY_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")
"""The second is what clients for Azure OpenAI send, the third those for Google."""
AUTHORIZATION = b"authorization"
CREDENTIALS = frozenset((AUTHORIZATION, *KEY_HEADERS))
KEY_PARAMETER = "key"
"""Google's clients may send the key in the query."""
SUBPROTOCOLS = b"sec-websocket-protocol"
KEY_SUBPROTOCOL = b"openai-insecure-api-key."
"""The beginning of the subprotocol in which OpenAI's browser clients send the key of a WebSocket:
they can set no headers (platform.openai.com/docs/guides/realtime-websocket)."""
HOW_TO_SEND = "send it as `Authorization: Bearer <key>` or as `x-api-key: <key>`"


class KeyRing(Struct, frozen=True):
    """The digests of the gateway's keys. An empty ring accepts every client."""

    digests: tuple[tuple[bytes, KeyId], ...] = ()

    @classmethod
    def from_keys(cls, keys: Iterable[str]) -> KeyRing:
        return cls(tuple(_with_id(_digest(key.encode())) for key in keys))

    @property
    def ids(self) -> frozenset[KeyId]:
        return frozenset(key_id for _, key_id in self.digests)


def _with_id(digest: bytes) -> tuple[bytes, KeyId]:
    return digest, KeyId(digest[:4].hex())


def authorize(headers: Headers, keys: KeyRing, query: str = "") -> KeyId:
    """The id of the first presented key that is in the ring. Raises Unauthorized.

    Header names are in lower case. A request may have several keys, because some SDKs always send
    one of them; one valid key is enough.
    """
    return identify(find_digests(headers, query), keys) if keys.digests else ANONYMOUS


def find_digests(headers: Headers, query: str = "") -> tuple[bytes, ...]:
    """The SHA-256 of each key that a request presents."""
    presented = _keys_in_query(query) if query else []
    for name, value in headers:
        if name in CREDENTIALS:
            key = _bearer(value) if name == AUTHORIZATION else value.strip(b" \t")
            if key:
                presented.append(key)
    return tuple(map(_digest, presented))


def identify(digests: Sequence[bytes], keys: KeyRing) -> KeyId:
    """The id of the first of ``digests`` that is in the ring. Raises Unauthorized."""
    if not keys.digests:
        return ANONYMOUS
    for digest in digests:
        if (found := _find(digest, keys)) is not None:
            return found
    raise _refusal(bool(digests))


def _keys_in_query(query: str) -> list[bytes]:
    if KEY_PARAMETER not in query:
        return []
    return [value.encode() for name, value in parse_qsl(query) if name == KEY_PARAMETER]


def without_keys(pairs: Sequence[tuple[str, str]], keys: KeyRing) -> list[tuple[str, str]]:
    """The names and values of a query, without the gateway's keys in it."""
    return [
        (name, value)
        for name, value in pairs
        if name != KEY_PARAMETER or _find(_digest(value.encode("utf-8", "replace")), keys) is None
    ]


def subprotocol_keys(headers: Headers) -> Headers:
    """The keys among the subprotocols of a WebSocket's handshake, as the headers that ``authorize``
    reads."""
    keys, _ = split_subprotocols(headers)
    return [(b"authorization", b"Bearer " + key) for key in keys]


def split_subprotocols(headers: Headers) -> tuple[list[bytes], list[bytes]]:
    """The keys among the subprotocols that a client offers, and the other ones (RFC 6455, section
    11.3.4: lists, which may come in several headers)."""
    values = [value for name, value in headers if name == SUBPROTOCOLS]
    offered = [token.strip(b" \t") for value in values for token in value.split(b",")]
    keys = [token for token in offered if token.startswith(KEY_SUBPROTOCOL)]
    rest = [token for token in offered if token and token not in keys]
    return [key[len(KEY_SUBPROTOCOL) :] for key in keys], rest


def _bearer(value: bytes) -> bytes:
    """The token of ``Bearer <token>`` (RFC 6750, section 2.1), empty for any other scheme. The
    scheme is case-insensitive (RFC 9110, section 11.1)."""
    return value[7:].strip(b" \t") if value[:7].lower() == b"bearer " else b""


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()


def _find(digest: bytes, keys: KeyRing) -> KeyId | None:
    """Compares with every digest, also after a match, so the time does not reveal the position."""
    found = None
    for known, key_id in keys.digests:
        if compare_digest(digest, known):
            found = key_id
    return found


def _refusal(presented: bool) -> Unauthorized:
    if presented:
        return Unauthorized("the gateway key is not valid", code="invalid_api_key")
    return Unauthorized(
        f"this gateway wants a key of its own: {HOW_TO_SEND}", code="missing_api_key"
    )
