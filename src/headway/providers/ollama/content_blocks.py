"""The content of one OpenAI message as Ollama's: one text, and images in bare base64."""

from __future__ import annotations

from collections.abc import Callable

from headway.errors import RequestError
from headway.providers.chat_messages import media_of
from headway.providers.function_tools import Fields, parts_of
from headway.providers.inline_files import read_file


class MessageContent:
    """Collects the texts and images of a message's parts. Raises RequestError for a part that
    Ollama cannot take."""

    def __init__(self, message: Fields) -> None:
        self.texts: list[str] = []
        self.images: list[str] = []
        for part in parts_of(message.get("content")):
            READERS.get(part["type"], MessageContent._refuse)(self, part)

    def _add_text(self, part: Fields) -> None:
        text = part.get("text") or part.get("refusal")
        if text:
            self.texts.append(text)

    def _add_image(self, part: Fields) -> None:
        image = part.get("image_url")
        media = media_of(image["url"] if isinstance(image, dict) else str(image))
        if media.data is None:
            # Ollama's own error: "image URLs are not currently supported, please use base64 encoded
            # data instead" (openai/openai.go).
            message = "`messages`: Ollama takes images as data, not by their address."
            raise RequestError(message, param="messages")
        self.images.append(media.data)

    def _add_audio(self, part: Fields) -> None:
        """Models with audio input take it in the field for images (openai/openai.go)."""
        self.images.append(part["input_audio"]["data"])

    def _add_file(self, part: Fields) -> None:
        file = part.get("file") or {}
        media, text = read_file(file, "Ollama")
        if text is None:
            self.images.append(media.data or "")
        else:
            title = f"{file['filename']}:\n" if file.get("filename") else ""
            self.texts.append(title + text)

    def _refuse(self, part: Fields) -> None:
        message = f"`messages`: Ollama takes no parts of type {part['type']}."
        raise RequestError(message, param="messages")


READERS: dict[str, Callable[[MessageContent, Fields], None]] = {
    "text": MessageContent._add_text,
    "refusal": MessageContent._add_text,
    "image_url": MessageContent._add_image,
    "input_audio": MessageContent._add_audio,
    "file": MessageContent._add_file,
}


def has_text_file(parts: list[Fields]) -> bool:
    """Whether a file among a message's parts becomes part of its text."""
    return any(
        part.get("type") == "file" and read_file(part.get("file") or {}, "Ollama")[1] is not None
        for part in parts
    )
