"""Requests of clients in the format of the Responses API itself, which are sent as they are but for
reasoning that another provider signed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.openai_responses.reasoning_items import to_items
from headway.providers.openai_responses.unsupported_content import FOREIGN_REASONING
from headway.providers.transformations import dropped
from headway.types import NO_RAW, ChatRequest
from headway.wire.sealed_reasoning import MARKER, is_sealed, unseal


class ItemHead(Struct):
    """The fields of an input item that are read."""

    type: str | None = None
    encrypted_content: str | None = None


_items = msgspec.json.Decoder(list[Raw]).decode
_head = msgspec.json.Decoder(ItemHead).decode
_encode = msgspec.json.Encoder().encode


def adapt_native(request: ChatRequest) -> Adapted:
    """Leave out reasoning items of other providers: their text would come without the proof that
    the API wants. The details of its own are sent back as the items that they were made of."""
    assert request.native is not None
    given = request.native.fields.get("input", NO_RAW)
    if MARKER not in bytes(given) or bytes(given)[:1] != b"[":
        return request, ()
    items = _items(given)
    kept: list[Any] = [each for item in items for each in _own_items(item)]
    fields = {**request.native.fields, "input": Raw(_encode(kept))}
    adapted = replace(request, native=replace(request.native, fields=fields))
    is_shorter = len(kept) < len(items)
    return adapted, (dropped("input[].reasoning", FOREIGN_REASONING),) if is_shorter else ()


def _own_items(raw: Raw) -> list[Any]:
    """The item itself, unless it is sealed reasoning."""
    if MARKER not in bytes(raw):
        return [raw]
    head = _head(raw)
    if head.type != "reasoning" or not is_sealed(head.encrypted_content):
        return [raw]
    own = [
        item
        for item in to_items(unseal(head.encrypted_content or "").details)
        if "encrypted_content" in item
    ]
    return [{k: v for k, v in item.items() if k != "index"} for item in own]
