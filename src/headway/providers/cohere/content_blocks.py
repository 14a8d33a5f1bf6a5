"""Content parts of OpenAI's messages as Cohere's content blocks
(docs.cohere.com/reference/chat, messages.content).

Cohere takes documents in a field next to ``messages``, not inside them: text files are collected in
a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.errors import RequestError
from headway.providers.function_tools import Fields
from headway.providers.inline_files import read_file

Documents = list[Fields]


def convert_content(content: Any, documents: Documents) -> Any:
    """A string stays a string, which Cohere takes too. Adds text files to ``documents``. Raises
    RequestError for a part that Cohere cannot take."""
    if content is None or isinstance(content, str):
        return content or ""
    blocks = (CONVERTERS.get(part["type"], _unchanged)(part, documents) for part in content)
    return [block for block in blocks if block is not None]


def _unchanged(part: Fields, documents: Documents) -> Fields:
    return {name: value for name, value in part.items() if name != "cache_control"}


def _refusal(part: Fields, documents: Documents) -> Fields:
    return {"type": "text", "text": part["refusal"]}


def _image(part: Fields, documents: Documents) -> Fields:
    image = part.get("image_url")
    return {"type": "image_url", "image_url": {"url": image} if isinstance(image, str) else image}


def _file(part: Fields, documents: Documents) -> Fields | None:
    file = part.get("file") or {}
    media, text = read_file(file, "Cohere")
    if text is None:
        url = f"data:{media.media_type};base64,{media.data}"
        return {"type": "image_url", "image_url": {"url": url}}
    title = {"title": file["filename"]} if file.get("filename") else {}
    documents.append({"id": f"doc:{len(documents)}", "data": {**title, "text": text}})
    return None


def _unsupported(part: Fields, documents: Documents) -> Fields:
    message = f"`messages`: Cohere's chat takes no {part['type']}."
    raise RequestError(message, param="messages")


CONVERTERS: dict[str, Callable[[Fields, Documents], Fields | None]] = {
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
    "input_audio": _unsupported,
    "video_url": _unsupported,
}
"""Converters by the part's type. A part of another type passes through."""
