"""Messages that were converted from another wire format, for OpenAI's chat format as OpenAI takes
it: the result of a tool is text there, a file is a PDF, and reasoning is not sent back
(platform.openai.com/docs/api-reference/chat/create, messages)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.chat_messages import media_of
from headway.providers.inline_files import TEXT_TYPES, decode_text
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.transformations import ONLY_ITS_PROVIDER, dropped, emulated
from headway.providers.wire_rules import Adapted
from headway.types import ChatRequest

TOOL_ROLES = ("tool", "function")
POINTER = "See the message after this one."
DETAILS = "reasoning_details"
DETAILS_FIELD = f'"{DETAILS}"'.encode()
MEDIA_MOVED = emulated("messages[].content", "media of a tool's result in a message of the user")
TEXT_INLINED = emulated("messages[].content[].file", "a text file as text")

_raw_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_encode = msgspec.json.Encoder().encode


def fit_media(request: ChatRequest) -> Adapted:
    """Put the media of a tool's result into a message of the user behind all results, and text
    files into texts. Only of a converted request: an OpenAI client means what it sends."""
    raw = bytes(request.messages)
    if not request.is_converted or (b'"image_url"' not in raw and b'"file"' not in raw):
        return request, ()
    return edit_messages(request, _edited)


def drop_details(request: ChatRequest) -> Adapted:
    """Leave out signed and encrypted reasoning, for vendors that do not take it back. A client of
    OpenAI's format that sends a field of another vendor means it."""
    return drop_all_details(request) if request.is_converted else (request, ())


def drop_all_details(request: ChatRequest) -> Adapted:
    """The same also of a client of OpenAI's format, which has them from another provider's reply,
    for OpenAI itself: it refuses them as unknown."""
    if bytes(request.messages).find(DETAILS_FIELD) < 0:
        return request, ()
    messages = _raw_messages(request.messages)
    kept = [{k: v for k, v in message.items() if k != DETAILS} for message in messages]
    if kept == messages:
        return request, ()
    noted = (dropped(f"messages[].{DETAILS}", ONLY_ITS_PROVIDER),)
    return replace(request, messages=Raw(_encode(kept))), noted


def _edited(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    edited: list[Fields] = []
    moved: list[Any] = []
    for message in messages:
        message = _with_texts(message, noted)
        is_result = message.get("role") in TOOL_ROLES
        if moved and not is_result:
            edited.append({"role": "user", "content": moved})
            moved = []
        if is_result and isinstance(message.get("content"), list):
            message, media = _without_media(message)
            moved += media
        edited.append(message)
    if moved:
        edited.append({"role": "user", "content": moved})
    if len(edited) > len(messages):
        noted[MEDIA_MOVED] = None
    return edited if noted else None


def _without_media(message: Fields) -> tuple[Fields, list[Any]]:
    texts = [part for part in message["content"] if part.get("type") == "text"]
    media = [part for part in message["content"] if part.get("type") != "text"]
    if not media:
        return message, []
    return {**message, "content": texts or POINTER}, media


def _with_texts(message: Fields, noted: Noted) -> Fields:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_text_of_file(part, noted) for part in content]
    return {**message, "content": parts} if parts != content else message


def _text_of_file(part: Fields, noted: Noted) -> Fields:
    """The text of a text file behind its name; any other part as it is."""
    file = part.get("file")
    if part.get("type") != "file" or not isinstance(file, dict) or not file.get("file_data"):
        return part
    media = media_of(file["file_data"])
    if media.data is None or TEXT_TYPES.match(media.media_type or "") is None:
        return part
    noted[TEXT_INLINED] = None
    text = f"{file.get('filename') or 'file'}:\n{decode_text(media.data)}"
    return {**{k: v for k, v in part.items() if k != "file"}, "type": "text", "text": text}
