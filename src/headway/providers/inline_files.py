"""Files in a message, for wires whose models read text and see pictures but open no documents."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from headway.errors import RequestError
from headway.providers.chat_messages import Media, media_of

TEXTS = re.compile(r"text/|application/(?:json|xml|x-yaml|yaml)")
TEXT_FILES = (".csv", ".htm", ".html", ".json", ".md", ".txt", ".xml", ".yaml", ".yml")


def opened(file: dict[str, Any], provider: str) -> tuple[Media, str | None]:
    """What stands in an OpenAI ``file``: a picture in base64, or a text. Raises RequestError for
    anything else."""
    media = _media(file.get("file_data") or "", file.get("filename") or "")
    kind, data = media.media_type or "", media.data or ""
    if kind.startswith("image/"):
        return media, None
    if TEXTS.match(kind):
        return media, _decoded(data)
    message = f"`messages`: {provider} takes no documents but texts, as data in base64."
    raise RequestError(message, param="messages")


def _media(data: str, filename: str) -> Media:
    """A data URL, or bare base64 whose kind the file's name tells."""
    media = media_of(data)
    if media.url is None or not filename.lower().endswith(TEXT_FILES):
        return media
    return Media("text/plain", data)


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        message = f"`messages`: a text file is not UTF-8 in base64: {exc}."
        raise RequestError(message, param="messages") from exc
