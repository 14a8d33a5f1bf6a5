"""The conversation of a session of OpenAI's Realtime API, as messages of the chat format.

The server repeats every item of the conversation, also those of the client
(platform.openai.com/docs/api-reference/realtime-server-events: ``conversation.item.*``,
``response.done``). Of audio it has the transcript, which comes later for what the client said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from headway.providers.native_api import SocketMessage
from headway.wire.lenient_json import lenient_decoder

READ = (b'"conversation.item.', b'"response.done"', b'"session.created"', b'"session.updated"')
"""In the messages that are read; the others, most of them audio, are not decoded."""
INSTRUCTIONS = "session.instructions"
"""Stands for the id of the message that has them."""
ITEM_EVENTS = frozenset(
    f"conversation.item.{name}" for name in ("created", "added", "done", "retrieved")
)
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
DELETED = "conversation.item.deleted"
ROLES = ("user", "assistant", "system")


class ContentPart(Struct):
    text: str | None = None
    transcript: str | None = None
    image_url: str | None = None


class Item(Struct):
    id: str = ""
    type: str = ""
    role: str = ""
    content: list[ContentPart] = []
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str = ""


class Session(Struct):
    instructions: str | None = None


class Response(Struct):
    output: list[Item] = []


class ServerEvent(Struct):
    type: str = ""
    item: Item | None = None
    item_id: str = ""
    transcript: str | None = None
    response: Response | None = None
    session: Session | None = None


_decode = lenient_decoder(ServerEvent)


def read_messages(payload: bytes) -> Sequence[SocketMessage]:
    """What one message of the server says of the conversation. Never raises."""
    if not any(name in payload for name in READ):
        return ()
    try:
        event = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ()
    if event.type in ITEM_EVENTS:
        return _of_items([] if event.item is None else [event.item])
    if event.type == "response.done":
        return _of_items([] if event.response is None else event.response.output)
    if event.type == TRANSCRIBED:
        return (SocketMessage(event.item_id, {"content": event.transcript}),)
    if event.type == DELETED:
        return (SocketMessage(event.item_id, None),)
    instructions = None if event.session is None else event.session.instructions
    if not event.type.startswith("session.") or not instructions:
        return ()
    return (SocketMessage(INSTRUCTIONS, {"role": "system", "content": instructions}),)


def _of_items(items: Sequence[Item]) -> tuple[SocketMessage, ...]:
    read = [(item.id, _message_of(item)) for item in items]
    return tuple(SocketMessage(id_, message) for id_, message in read if message is not None)


def _message_of(item: Item) -> dict[str, Any] | None:
    """None for an item that is no message, such as a list of tools."""
    if item.type == "function_call":
        function = {"name": item.name, "arguments": item.arguments}
        call = {"id": item.call_id, "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if item.type == "function_call_output":
        return {"role": "tool", "tool_call_id": item.call_id, "content": item.output}
    if item.type != "message" or item.role not in ROLES:
        return None
    return {"role": item.role, "content": _content_of(item.content)}


def _content_of(parts: Sequence[ContentPart]) -> str | list[dict[str, Any]] | None:
    """The text; parts where there are images; None where nothing is known of the audio yet."""
    texts = [part.transcript if part.text is None else part.text for part in parts]
    if not any(part.image_url for part in parts):
        known = [text for text in texts if text is not None]
        return "".join(known) if known else None
    content: list[dict[str, Any]] = []
    for part, text in zip(parts, texts, strict=True):
        if part.image_url:
            content.append({"type": "image_url", "image_url": {"url": part.image_url}})
        elif text:
            content.append({"type": "text", "text": text})
    return content
