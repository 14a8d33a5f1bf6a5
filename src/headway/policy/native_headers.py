"""The headers and the query of a request that is passed through to a provider, and the headers of
its response: all that are end-to-end (RFC 9110, section 7.6.1), except those that belong to the
connection between the client and the gateway, or to the provider's connection with the gateway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import unquote_plus

from headway.errors import InvalidField
from headway.policy import gateway_loop
from headway.policy.keys import (
    KEY_HEADERS,
    KEY_PARAMETER,
    SUBPROTOCOLS,
    split_subprotocols,
)
from headway.types import Headers

Pairs = tuple[tuple[str, str], ...]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
OF_THE_GATEWAY = frozenset(
    {
        b"accept-encoding",  # the gateway asks for none, so that it can read what comes
        b"authorization",
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"origin",
        b"x-amz-date",
        b"x-amz-security-token",
        b"x-real-ip",
        gateway_loop.HEADER_BYTES,
        SUBPROTOCOLS,  # one of them may be a key
        *KEY_HEADERS,
    }
)
"""Request headers that are about the gateway: its keys and signatures for it, its host, who calls
it."""
OWN_PREFIXES = (b"x-headway-", b"x-forwarded-", b"sec-websocket-ext")
"""Beginnings of further ones. Without extensions, the messages of a WebSocket can be read."""
OF_THE_PROVIDER = frozenset(
    {b"alt-svc", b"content-encoding", b"content-length", b"date", b"set-cookie"}
    | {b"strict-transport-security"}
)
"""Response headers that are about the provider's host, and those that the server writes. The
transport has decoded the content."""
PROVIDER_PREFIXES = (b"access-control-", b"x-headway-request-id")


def request_pairs(headers: Headers) -> Pairs:
    """The headers that go to the provider, in their order. Names are in lower case. Raises
    InvalidField for a value that is not UTF-8."""
    dropped = HOP_BY_HOP | OF_THE_GATEWAY | _named_by_connection(headers)
    kept = _without(headers, dropped, OWN_PREFIXES)
    _, subprotocols = split_subprotocols(headers)
    if subprotocols:
        kept.append((SUBPROTOCOLS, b", ".join(subprotocols)))
    return tuple((name.decode("latin-1"), _text(name, value)) for name, value in kept)


def response_pairs(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers that go to the client, in their order, without its length."""
    dropped = HOP_BY_HOP | OF_THE_PROVIDER | _named_by_connection(headers)
    return _without(headers, dropped, PROVIDER_PREFIXES)


def without_keys(query: str) -> str:
    """The query, byte for byte, without the parameters in which a client sends its gateway key."""
    return "&".join(part for part in query.split("&") if not _is_key(part))


def merge_pairs(client: Pairs, own: Iterable[tuple[str, str]], defaults: Pairs) -> Pairs:
    """The client's headers, and the gateway's ``own``, which take the place of those with the same
    names. ``defaults`` are added where there is none of the name."""
    own = tuple(own)
    replaced = {name.lower() for name, _ in own}
    kept = tuple(pair for pair in client if pair[0] not in replaced)
    given = replaced | {name for name, _ in kept}
    return (*kept, *(pair for pair in defaults if pair[0] not in given), *own)


def _is_key(parameter: str) -> bool:
    """Its name may be escaped: servers decode it."""
    return unquote_plus(parameter.partition("=")[0]) == KEY_PARAMETER


def _named_by_connection(headers: Headers) -> set[bytes]:
    return {
        name.strip(b" \t").lower()
        for header, value in headers
        if header == b"connection"
        for name in value.split(b",")
    }


def _without(
    headers: Headers, names: Collection[bytes], prefixes: tuple[bytes, ...]
) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in headers
        if name not in names and not name.startswith(prefixes)
    ]


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        readable = name.decode("latin-1")
        message = f"The header {readable} is not UTF-8, and cannot be passed on."
        raise InvalidField(message, param=readable, status=400) from None
