"""Read the most common event of a stream, a piece of text, with one typed decoding and without
events, where it is passed through (``Provider.read_relayed_text``). Without this module everything
works, and each event of a relayed stream costs more CPU time."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from headway.wire.json_repair import is_utf8


class TextDelta(Struct, gc=False):
    type: Literal["text_delta"]
    text: str


class TextEvent(Struct, gc=False):
    type: Literal["content_block_delta"]
    delta: TextDelta


_decode = msgspec.json.Decoder(TextEvent).decode


def read_relayed_text(data: bytes) -> str | None:
    """The text of a ``text_delta``; None for any other data, also for data that is not JSON in
    UTF-8, and for an empty text."""
    if data.find(b'"text_delta"') < 0 or not (data.isascii() or is_utf8(data)):
        return None
    try:
        return _decode(data).delta.text or None
    except msgspec.DecodeError:
        return None
