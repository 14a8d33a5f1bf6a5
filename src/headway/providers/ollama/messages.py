"""OpenAI's messages as Ollama's /api/chat takes them (docs.ollama.com/api/chat).

A message is a text, with pictures beside it in bare base64; the arguments of a call are an object;
a result names the tool that gave it. Fields that are not known here stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.chat_messages import media_of
from headway.providers.function_tools import Fields, parts_of, turns
from headway.providers.inline_files import opened

ROLES = {"developer": "system"}
NOT_SENT = frozenset(
    {
        "annotations", "audio", "cache_control", "content", "is_error", "name", "reasoning",
        "reasoning_content", "reasoning_details", "refusal", "role", "tool_calls",
    }
)  # fmt: skip
"""Fields of a message that Ollama has no word for, or that are made anew."""

_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


class Said:
    """The content of one message as it is gathered: what is text, and what is seen or heard."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.images: list[str] = []

    def text(self, part: Fields) -> None:
        text = part.get("text") or part.get("refusal")
        if text:
            self.texts.append(text)

    def image(self, part: Fields) -> None:
        image = part.get("image_url")
        media = media_of(image["url"] if isinstance(image, dict) else str(image))
        if media.data is None:
            # Its own words: "image URLs are not currently supported, please use base64 encoded
            # data instead" (openai/openai.go).
            message = "`messages`: Ollama takes images as data, not by their address."
            raise RequestError(message, param="messages")
        self.images.append(media.data)

    def sound(self, part: Fields) -> None:
        """Models that hear take sound where others take pictures (openai/openai.go)."""
        self.images.append(part["input_audio"]["data"])

    def file(self, part: Fields) -> None:
        file = part.get("file") or {}
        media, text = opened(file, "Ollama")
        if text is None:
            self.images.append(media.data or "")
        else:
            title = f"{file['filename']}:\n" if file.get("filename") else ""
            self.texts.append(title + text)

    def refuse(self, part: Fields) -> None:
        message = f"`messages`: Ollama takes no parts of type {part['type']}."
        raise RequestError(message, param="messages")


PARTS: dict[str, Callable[[Said, Fields], None]] = {
    "text": Said.text,
    "refusal": Said.text,
    "image_url": Said.image,
    "input_audio": Said.sound,
    "file": Said.file,
}


def conversation(messages: Raw) -> list[Fields]:
    """Raises RequestError for what Ollama cannot be given."""
    names: dict[str, str] = {}
    return [_turn(turn, names) for turn in turns(messages)]


def losses(messages: Raw) -> Iterator[tuple[str, str, str]]:
    """What of the messages does not reach the model as it was: what is done, where, and why."""
    for turn in turns(messages):
        parts = parts_of(turn.get("content"))
        if turn.get("name") and turn["role"] != "tool":
            yield "dropped", "messages[].name", "there are no names of speakers"
        if turn.get("is_error"):
            yield "dropped", "messages[].is_error", "a result is not marked as an error there"
        if turn.get("audio"):
            yield "dropped", "messages[].audio", "there is no sound in answers there"
        if any(holder.get("cache_control") for holder in (turn, *parts)):
            yield "dropped", "cache_control", "there are no markers for a cache"
        if any(_is_read(part) for part in parts):
            yield "emulated", "messages", "documents are part of the message's text"


def _is_read(part: Fields) -> bool:
    """Whether it is a file that becomes text, and no picture."""
    if part.get("type") != "file":
        return False
    return opened(part.get("file") or {}, "Ollama")[1] is not None


def _turn(turn: Fields, names: dict[str, str]) -> Fields:
    said = Said()
    for part in parts_of(turn.get("content")):
        PARTS.get(part["type"], Said.refuse)(said, part)
    text = "\n".join(said.texts) or turn.get("refusal") or ""
    made: Fields = {"role": ROLES.get(turn["role"], turn["role"]), "content": text}
    thought = turn.get("reasoning_content") or turn.get("reasoning")
    if thought and turn["role"] == "assistant":
        made["thinking"] = thought
    if said.images:
        made["images"] = said.images
    if turn.get("tool_calls"):
        made["tool_calls"] = [_call(call, names) for call in turn["tool_calls"]]
    if turn["role"] == "tool":
        name = turn.get("name") or names.get(turn.get("tool_call_id") or "")
        made.update({"tool_name": name} if name else {})
    return {**made, **{name: value for name, value in turn.items() if name not in NOT_SENT}}


def _call(call: Fields, names: dict[str, str]) -> Fields:
    function = call["function"]
    names[call["id"]] = function["name"]
    text = function.get("arguments") or "{}"
    try:
        arguments = _arguments(text)
    except msgspec.MsgspecError as exc:
        message = f"`messages`: the arguments of {function['name']} are no JSON object: {exc}."
        raise RequestError(message, param="messages") from exc
    return {"id": call["id"], "function": {"name": function["name"], "arguments": arguments}}


def with_thoughts(messages: Raw) -> list[Any]:
    """OpenAI's messages for Ollama's /v1, which calls a thought ``reasoning``."""
    made = []
    for turn in msgspec.json.decode(messages, type=list[Fields]):
        thought = turn.get("reasoning_content")
        made.append({**turn, "reasoning": thought} if thought and "reasoning" not in turn else turn)
    return made
