"""Read the files in messages, for wire formats that take texts and images but no documents."""

from __future__ import annotations

import base64
import re
from typing import Any

from headway.errors import RequestError
from headway.providers.chat_messages import Media, media_of

TEXT_TYPES = re.compile(r"text/|application/(?:json|xml|x-yaml|yaml)")
TEXT_SUFFIXES = (".csv", ".htm", ".html", ".json", ".md", ".txt", ".xml", ".yaml", ".yml")


def read_file(file: dict[str, Any], provider: str) -> tuple[Media, str | None]:
    """The content of an OpenAI ``file`` part: (an image in base64, None) or (media, its text).
    Raises RequestError, which names ``provider``, for any other file."""
    media = _media(file.get("file_data") or "", file.get("filename") or "")
    media_type, data = media.media_type or "", media.data or ""
    if media_type.startswith("image/"):
        return media, None
    if TEXT_TYPES.match(media_type):
        return media, decode_text(data)
    message = f"`messages`: {provider} takes no documents but texts, as data in base64."
    raise RequestError(message, param="messages")


def _media(data: str, filename: str) -> Media:
    """A data URL, or bare base64 of a text file, which its name shows."""
    media = media_of(data)
    if media.url is None or not filename.lower().endswith(TEXT_SUFFIXES):
        return media
    return Media("text/plain", data)


def decode_text(data: str, *, validate: bool = True) -> str:
    """The text of a file in base64. ``validate`` refuses characters that are not base64; otherwise
    they are ignored. Raises RequestError where the file is not UTF-8 in base64."""
    try:
        return base64.b64decode(data, validate=validate).decode()
    except ValueError as exc:  # binascii.Error, UnicodeDecodeError, or characters beyond ASCII
        message = f"`messages`: a text file is not UTF-8 in base64: {exc}."
        raise RequestError(message, param="messages") from exc
