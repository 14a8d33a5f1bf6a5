"""Read the most common event of a stream, a piece of text with the usage so far, with one typed
decoding and without events, where it is passed through (``Provider.read_relayed_text``). Without
this module everything works, and each event of a relayed stream costs more CPU time.

Each event has the counts so far, so that of several in a row only the last one's matter
(``Provider.texts_have_usage``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from headway.wire.json_repair import is_utf8

Count = Annotated[int, Meta(ge=1)]


class TextPart(Struct, gc=False, forbid_unknown_fields=True):
    text: str


class TextContent(Struct, gc=False, forbid_unknown_fields=True):
    parts: tuple[TextPart]
    role: str = ""


class TextCandidate(Struct, gc=False, rename="camel", forbid_unknown_fields=True):
    content: TextContent
    index: Literal[0] = 0
    safety_ratings: Any = None


class CompleteUsage(Struct, gc=False, rename="camel"):
    """Counts that replace all earlier ones (``usage.merge_counts``)."""

    prompt_token_count: Count
    total_token_count: Count


class TextResponse(Struct, gc=False, rename="camel", forbid_unknown_fields=True):
    candidates: tuple[TextCandidate]
    usage_metadata: CompleteUsage
    model_version: str = ""
    response_id: str = ""
    create_time: Any = None


_decode = msgspec.json.Decoder(TextResponse).decode


def read_relayed_text(data: bytes) -> str | None:
    """The text of a response that has nothing but one text and counts of tokens; None for any other
    data, also for data that is not JSON in UTF-8, and for an empty text."""
    if data.find(b'"text"') < 0 or not (data.isascii() or is_utf8(data)):
        return None
    try:
        return _decode(data).candidates[0].content.parts[0].text or None
    except msgspec.DecodeError:
        return None
