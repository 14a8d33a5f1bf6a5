"""Find the content of messages that a wire format does not carry, without decoding texts and
images, which are most of the bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.transformations import ONLY_ITS_PROVIDER, dropped, emulated
from headway.types import NO_RAW, Transformation

SYSTEM_ROLES = ("system", "developer")
EMPTY = (b"", b"null", b'""', b"[]")


class ScannedMessage(Struct):
    """The fields of a message that decide whether some of its content is unsupported."""

    role: str
    name: Raw = NO_RAW
    content: Raw = NO_RAW
    tool_calls: Raw = NO_RAW
    reasoning_content: Raw = NO_RAW
    reasoning_details: Raw = NO_RAW


class ScannedPart(Struct):
    type: str = ""
    image_url: Raw = NO_RAW


HasSignature = Callable[[ScannedMessage], bool]
"""Whether a message has reasoning that the provider accepts back: signed or encrypted by it."""

_messages = msgspec.json.Decoder(list[ScannedMessage]).decode
_parts = msgspec.json.Decoder(list[ScannedPart]).decode


def unsupported_content(
    messages: Raw, vendor: str, has_signature: HasSignature
) -> list[Transformation]:
    """A transformation, each once, for names of speakers, unsigned reasoning, the ``detail`` of
    images, and system messages behind other messages. ``vendor`` is the name in the reasons."""
    found: dict[Transformation, None] = {}
    moves_system = has_conversation = False
    for message in _messages(messages):
        if message.role in SYSTEM_ROLES:
            moves_system |= has_conversation
            continue
        has_conversation = True
        found.update(dict.fromkeys(_unsupported(message, vendor, has_signature)))
    if moves_system:
        found[emulated("messages", "system messages moved before all others")] = None
    return list(found)


def replays_signatures(messages: Raw, has_signature: HasSignature) -> bool:
    """False if an assistant's message after the last user message calls tools and lacks the signed
    reasoning that led to the calls."""
    complete = True
    for message in _messages(messages):
        if message.role == "user":
            complete = True
        elif message.role == "assistant" and bytes(message.tool_calls) not in EMPTY:
            complete &= has_signature(message)
    return complete


def _unsupported(
    message: ScannedMessage, vendor: str, has_signature: HasSignature
) -> list[Transformation]:
    found = []
    if message.role in ("user", "assistant") and bytes(message.name) not in EMPTY:
        found.append(dropped("messages[].name", f"unsupported by {vendor}"))
    if bytes(message.reasoning_content) not in EMPTY and not has_signature(message):
        reason = f"unsupported by {vendor} without a signature"
        found.append(dropped("messages[].reasoning_content", reason))
    elif bytes(message.reasoning_details) not in EMPTY and not has_signature(message):
        found.append(dropped("messages[].reasoning_details", ONLY_ITS_PROVIDER))
    if any(detail not in (None, "auto") for detail in _image_details(bytes(message.content))):
        path = "messages[].content[].image_url.detail"
        found.append(dropped(path, f"unsupported by {vendor}"))
    return found


def _image_details(content: bytes) -> list[Any]:
    if b'"detail"' not in content or not content.startswith(b"["):
        return []
    parts = (part for part in _parts(content) if part.type == "image_url" and part.image_url)
    images = (msgspec.json.decode(part.image_url) for part in parts)
    return [image.get("detail") for image in images if isinstance(image, dict)]
