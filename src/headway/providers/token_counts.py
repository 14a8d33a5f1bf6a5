"""How a provider is asked for the number of tokens of a request: mostly the request itself, at
another address and with fewer fields."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.types import ChatRequest, HttpRequest, Target

Encode = Callable[[ChatRequest, Target], HttpRequest]

_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
encode = msgspec.json.Encoder().encode


class TokenCount(msgspec.Struct, frozen=True):
    encode: Encode
    """Of a request with ``native`` in the provider's own wire format, and of any other as ``adapt``
    returned it. Raises what encoders raise, also where the model's tokens cannot be counted."""
    decode: Callable[[bytes], int]
    """Raises what adapters raise for any other response."""


def whole_request(
    request: ChatRequest, target: Target, encode_request: Encode, encode_native: Encode
) -> HttpRequest:
    """The request for an answer that is not streamed."""
    encode_chat = encode_request if request.native is None else encode_native
    return encode_chat(replace(request, stream=False), target)


def fields_of(sent: HttpRequest, names: Collection[str] | None = None) -> dict[str, Any]:
    """The fields of its body; only those in ``names`` where that is given."""
    return {k: v for k, v in _fields(sent.body).items() if names is None or k in names}


def moved(sent: HttpRequest, path: str, fields: dict[str, Any]) -> HttpRequest:
    """``sent`` with another path and body."""
    return replace(sent, url=replace(sent.url, path=path), body=encode(fields))


def read_count(name: str, body: bytes) -> int:
    """The number in the field ``name``. Raises KeyError, TypeError, msgspec.DecodeError."""
    count = _object(body)[name]
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"{name} is no number of tokens")
    return count
