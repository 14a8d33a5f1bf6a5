"""Find the content of messages that the Responses API does not take. Texts and images, which are
most of the bytes, are not decoded."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from headway.providers.openai_responses.reasoning_items import has_replayable_detail
from headway.providers.transformations import dropped
from headway.types import NO_RAW, Transformation

UNSUPPORTED = "unsupported by the Responses API"
AUTOMATIC_CACHING = f"{UNSUPPORTED}, which caches automatically"
FOREIGN_REASONING = "only reasoning from the Responses API itself can be sent back"
EMPTY = (b"", b"null", b'""', b"[]")
TOOL_ROLES = ("tool", "function")


class ScannedMessage(Struct):
    """The fields that decide whether some of a message is unsupported."""

    role: str
    name: Raw = NO_RAW
    content: Raw = NO_RAW
    cache_control: Raw = NO_RAW
    is_error: bool | None = None
    reasoning_content: Raw = NO_RAW
    reasoning_details: Raw = NO_RAW


_decode_messages = msgspec.json.Decoder(list[ScannedMessage]).decode


def unsupported_content(messages: Raw) -> list[Transformation]:
    """A transformation for each kind of unsupported content, in the order of the messages."""
    found = (each for message in _decode_messages(messages) for each in _unsupported(message))
    return list(dict.fromkeys(found))


def _unsupported(message: ScannedMessage) -> Iterator[Transformation]:
    if message.role not in TOOL_ROLES and bytes(message.name) not in EMPTY:
        yield dropped("messages[].name", UNSUPPORTED)
    if _has_cache_marker(message):
        yield dropped("messages[].cache_control", AUTOMATIC_CACHING)
    is_replayed = has_replayable_detail(bytes(message.reasoning_details))
    if bytes(message.reasoning_content) not in EMPTY and not is_replayed:
        yield dropped("messages[].reasoning_content", FOREIGN_REASONING)
    elif bytes(message.reasoning_details) not in EMPTY and not is_replayed:
        yield dropped("messages[].reasoning_details", FOREIGN_REASONING)
    if message.is_error:
        yield dropped("messages[].is_error", UNSUPPORTED)


def _has_cache_marker(message: ScannedMessage) -> bool:
    content = bytes(message.content)
    in_parts = content.startswith(b"[") and b'"cache_control"' in content
    return in_parts or bytes(message.cache_control) not in EMPTY
