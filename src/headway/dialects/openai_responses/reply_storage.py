"""Responses that are kept, so that clients can ask for them again and refer to them
(platform.openai.com/docs/api-reference/responses/get)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import ResponseContext
from headway.dialects.input_items.ids import call_id_of, input_id_of
from headway.dialects.openai_responses.response_object import DEFAULTS, described_tools
from headway.response_accumulator import ResponseAccumulator

REPEATED = ("instructions", "tools")
"""Long fields of the request that a response repeats. They are kept with the request."""
NULL = Raw(b"null")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Raw]).decode


class LastEvent(Struct):
    """The event with which a stream ends."""

    response: Raw = NULL


class ItemId(Struct):
    id: str | None = None


class Ids(Struct):
    """The ids in a response."""

    id: str = ""
    output: list[ItemId] = []


class KeptOutput(Struct):
    output: list[Raw] = []
    store: bool | None = None


_decode_event = msgspec.json.Decoder(LastEvent).decode
_decode_ids = msgspec.json.Decoder(Ids).decode
_decode_output = msgspec.json.Decoder(KeptOutput).decode


class ResponseStorage:
    """A ``ReplyStorage``."""

    def whole_reply(
        self, context: ResponseContext, response: ResponseAccumulator, last_piece: bytes
    ) -> bytes:
        if last_piece.lstrip()[:1] == b"{":
            return last_piece
        _, _, data = last_piece.rstrip().rpartition(b"data:")
        return bytes(_decode_event(data).response)

    def prepare(self, reply: bytes) -> tuple[bytes, tuple[str, ...]]:
        fields = _decode(reply)
        for name in REPEATED:
            fields.pop(name, None)
        ids = _decode_ids(reply)
        names = dict.fromkeys([ids.id, *(item.id or "" for item in ids.output)])
        return _encode(fields), tuple(n for n in names if n and call_id_of(n) is None)


RESPONSE_STORAGE = ResponseStorage()


def output_items(reply: Raw) -> Sequence[Raw]:
    """The output of a kept response."""
    return _decode_output(reply).output


def is_kept_by_provider(reply: Raw) -> bool:
    """The provider's own response says that the provider keeps it."""
    return _decode_output(reply).store is True


def whole_response(reply: Raw, parameters: Mapping[str, Raw]) -> bytes:
    """A kept response with what it repeats of its request; it says that it is stored."""
    fields: dict[str, Any] = dict(_decode(reply))
    fields["instructions"] = parameters.get("instructions", DEFAULTS["instructions"])
    fields["tools"] = described_tools(parameters)
    return _encode({**fields, "store": True})


def input_list(
    call_id: str, messages: Sequence[Raw], *, limit: int, after: str | None, newest_first: bool
) -> bytes:
    """A page of the items of a response's input, each with an id. Raises KeyError for ``after``
    that is none of their ids."""
    items = [_with_id(call_id, place, raw) for place, raw in enumerate(messages)]
    if newest_first:
        items.reverse()
    if after is not None:
        names = [item["id"] for item in items]
        if after not in names:
            raise KeyError(after)
        items = items[names.index(after) + 1 :]
    page = items[:limit]
    return _encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(items) > limit,
        }
    )


def _with_id(call_id: str, place: int, raw: Raw) -> dict[str, Any]:
    """As the API shows an item: a message has its type and a list as content."""
    item: dict[str, Any] = msgspec.json.decode(raw)
    described = {"id": input_id_of(call_id, place), **item}
    if "role" in item:
        content, kind = item.get("content"), "output_text"
        if item["role"] != "assistant":
            kind = "input_text"
        if isinstance(content, str):
            content = [{"type": kind, "text": content}]
        described = {"type": "message", "status": "completed", **described, "content": content}
    return described
