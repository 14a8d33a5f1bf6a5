"""Read and change the messages of a request in OpenAI's format, for the transforms of wire rules.

A transform looks at the bytes first, so that messages without the oddity are not decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.wire_rules import Adapted
from headway.types import ChatRequest, Transformation

Fields = dict[str, Any]
Noted = dict[Transformation, None]
"""Transformations in the order in which they were made, each once."""

_decode = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


READ = ("role", "name", "content", "tool_calls", "tool_call_id", "function_call", "prefix")
"""The fields that transforms read; the others stay JSON."""


def edit_messages(
    request: ChatRequest, edit: Callable[[list[Fields], Noted], list[Fields] | None]
) -> Adapted:
    """The request with the messages that ``edit`` returns, and what it noted. ``edit`` gets them
    with the fields in ``READ`` decoded and changes none of them in place; None leaves all as they
    are. A value that it keeps is sent as the client's bytes: Python's numbers are not JSON's.
    Raises msgspec.MsgspecError for anything but a list of objects."""
    noted: Noted = {}
    originals: dict[int, Raw] = {}
    messages = [_read(message, originals) for message in _decode(request.messages)]
    edited = edit(messages, noted)
    if edited is None:
        return request, tuple(noted)
    encoded = [
        {name: originals.get(id(value), value) for name, value in message.items()}
        for message in edited
    ]
    return replace(request, messages=Raw(_encode(encoded))), tuple(noted)


def _read(message: dict[str, Raw], originals: dict[int, Raw]) -> Fields:
    """``originals`` gets the JSON of each decoded value, by the value's identity."""
    fields: Fields = dict(message)
    for name in READ:
        if name in fields:
            fields[name] = _value(message[name])
            originals[id(fields[name])] = message[name]
    return fields


def _value(raw: Raw) -> Any:
    """JSON that Python cannot hold (1e999, too deep) stays as it is, and no edit reads it."""
    try:
        return _any(raw)
    except (msgspec.MsgspecError, RecursionError):
        return raw
