"""Convert OpenAI's image and file parts to Anthropic's image and document blocks
(platform.claude.com/docs/en/build-with-claude/vision, .../pdf-support)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headway.errors import RequestError
from headway.providers.chat_messages import File, Media, media_of
from headway.providers.inline_files import decode_text

Block = dict[str, Any]

MEDIA_TYPES = {"image/jpg": "image/jpeg"}
"""Common names that Anthropic refuses, and the official ones."""
TEXT_TYPES = re.compile(r"text/|application/(?:json|xml|x-yaml|yaml)$")
TEXT_EXTENSIONS = (".txt", ".md", ".csv", ".json", ".xml", ".yaml", ".yml", ".html")
PDF = "application/pdf"


def image_block(part: Block) -> Block:
    """The block of an ``image_url`` part. Raises RequestError where it has no url,
    or data of no known type."""
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise RequestError("`messages`: an image_url part has no url.", param="messages")
    media = media_of(url)
    if media.data is not None and media.media_type is None:
        message = "`messages`: an image has neither a media type nor the bytes of a known one."
        raise RequestError(message, param="messages")
    return {"type": "image", "source": _source(media), **_other_fields(part, "image_url")}


def document_block(part: Block) -> Block:
    """The block of a ``file`` part, with the ``title``, ``context`` and ``citations`` next to its
    ``file``. Raises RequestError where it has no data and no id."""
    file = msgspec.convert(part.get("file"), File)
    fields = _other_fields(part, "file")
    if file.filename:
        fields = {"title": file.filename, **fields}
    if file.file_id:
        return {"type": "document", "source": {"type": "file", "file_id": file.file_id}, **fields}
    if not file.file_data:
        message = "`messages`: a file part has neither file_id nor file_data."
        raise RequestError(message, param="messages")
    media = _file_media(file.file_data, file.filename or "")
    if (media.media_type or "").startswith("image/"):
        fields.pop("title", None)
        return {"type": "image", "source": _source(media), **fields}
    return {"type": "document", "source": _source(media), **fields}


def _file_media(data: str, filename: str) -> Media:
    """``data`` is a data URL, a web address, or bare base64 of the type that ``filename`` says."""
    media = media_of(data)
    if media.url is None or media.url.startswith(("http://", "https://")):
        return media
    is_text = filename.lower().endswith(TEXT_EXTENSIONS)
    return Media("text/plain" if is_text else PDF, data)


def _source(media: Media) -> Block:
    if media.url is not None:
        return {"type": "url", "url": media.url}
    media_type = media.media_type or "application/octet-stream"
    if TEXT_TYPES.match(media_type):
        return {
            "type": "text",
            "media_type": "text/plain",
            "data": decode_text(media.data or "", validate=False),
        }
    media_type = MEDIA_TYPES.get(media_type, media_type)
    return {"type": "base64", "media_type": media_type, "data": media.data}


def _other_fields(part: Block, name: str) -> Block:
    return {k: v for k, v in part.items() if k not in ("type", name)}
