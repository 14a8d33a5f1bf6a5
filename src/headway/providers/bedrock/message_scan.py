"""What can be told of a conversation without reading all of it: most of its bytes are texts and
images, which the decoder skips."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.anthropic.messages import FORMAT
from headway.providers.bedrock.reasoning_blocks import OWN
from headway.types import NO_RAW


class Glimpse(Struct):
    """What of a message tells what it will lose, or what it calls; the rest is skipped."""

    role: str
    name: Raw = NO_RAW
    content: Raw = NO_RAW
    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None
    reasoning_content: Raw = NO_RAW
    reasoning_details: Raw = NO_RAW


VOID = (b"", b"null", b'""', b"[]")
CALLING = (b'"tool_calls"', b'"function_call"')
_glimpses = msgspec.json.Decoder(list[Glimpse]).decode


def called(messages: Raw) -> list[str]:
    """The names of the tools that were called, each once."""
    if not any(sign in bytes(messages) for sign in CALLING):
        return []
    names: dict[str, None] = {}
    for message in _glimpses(messages):
        calls = [call.get("function") or {} for call in message.tool_calls or ()]
        for function in (*calls, message.function_call or {}):
            if function.get("name"):
                names[function["name"]] = None
    return list(names)


def losses(messages: Raw) -> list[str]:
    """In words, what of the messages Bedrock has no place for."""
    found: dict[str, None] = {}
    for message in _glimpses(messages):
        if message.role in ("user", "assistant") and bytes(message.name) not in VOID:
            found["speakers have no name there"] = None
        if bytes(message.reasoning_content) not in VOID and not _replays(message):
            found["reasoning without a signature cannot be sent back"] = None
        if any(detail not in (None, "auto") for detail in _details(bytes(message.content))):
            found["images have no detail there"] = None
    return list(found)


def _replays(message: Glimpse) -> bool:
    details = bytes(message.reasoning_details)
    return FORMAT.encode() in details or OWN.encode() in details


SYSTEM = ("system", "developer")


class Part(Struct):
    type: str = ""
    image_url: Raw = NO_RAW


_parts = msgspec.json.Decoder(list[Part]).decode


def _details(content: bytes) -> list[Any]:
    if b'"detail"' not in content or not content.startswith(b"["):
        return []
    images = [msgspec.json.decode(part.image_url) for part in _parts(content) if part.image_url]
    return [image.get("detail") for image in images if isinstance(image, dict)]


def moves_system(messages: Raw) -> bool:
    """Whether a system message stands behind others, which it will not any more."""
    roles = [message.role for message in _glimpses(messages)]
    begun = next((at for at, role in enumerate(roles) if role not in SYSTEM), len(roles))
    return any(role in SYSTEM for role in roles[begun:])
