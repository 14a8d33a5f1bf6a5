"""Convert OpenAI's image, file, audio and video parts to Bedrock's content blocks, which hold a
format with bytes in base64, or an address in S3 (docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_ImageBlock.html, API_runtime_DocumentBlock.html, API_runtime_AudioBlock.html,
API_runtime_VideoBlock.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from headway.errors import RequestError
from headway.providers.chat_messages import File, InputAudio, Media, media_of
from headway.providers.inline_files import decode_text

Block = dict[str, Any]

S3 = "s3://"
IMAGES = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/json": "txt",
    "application/xml": "txt",
    "text/xml": "txt",
    "application/yaml": "txt",
}
VIDEOS = {
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/mpg": "mpg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
EXTENSIONS = {"jpg": "jpeg", "htm": "html", "3gp": "three_gp", "markdown": "md", "text": "txt"}
"""File extensions that differ from the name of the format."""
TEXT_FORMATS = ("txt", "md", "csv", "html")
INVALID_IN_NAME = re.compile(r"[^A-Za-z0-9()\[\]-]+")
MAX_NAME_LENGTH = 200


def image_block(part: Block) -> Block:
    """The block of an ``image_url`` part. Raises RequestError for an image that Bedrock does not
    take."""
    media = media_of(_url(part, "image_url"))
    return {"image": {"format": _format(media, IMAGES, "image"), "source": _source(media)}}


def video_block(part: Block) -> Block:
    """The block of a ``video_url`` part, which is OpenRouter's. Raises RequestError for a video
    that Bedrock does not take."""
    media = media_of(_url(part, "video_url"))
    return {"video": {"format": _format(media, VIDEOS, "video"), "source": _source(media)}}


def audio_block(part: Block) -> Block:
    """The block of an ``input_audio`` part: OpenAI's names of formats are Bedrock's."""
    audio = msgspec.convert(part.get("input_audio"), InputAudio)
    return {"audio": {"format": audio.format, "source": {"bytes": audio.data}}}


def document_block(part: Block) -> Block:
    """The block of a ``file`` part, with the ``title``, ``context`` and ``citations`` next to its
    ``file``. Raises RequestError for a file without data, or that Bedrock does not take."""
    file = msgspec.convert(part.get("file"), File)
    if not file.file_data:
        message = "`messages`: a file part has no file_data; Bedrock keeps no files by id."
        raise RequestError(message, param="messages")
    media = _file_media(file.file_data, file.filename or "")
    if media.media_type in IMAGES:
        return {"image": {"format": IMAGES[media.media_type], "source": _source(media)}}
    file_format = _format(media, DOCUMENTS, "file", file.filename or "")
    name = part.get("title") or (file.filename or "").rpartition(".")[0] or "document"
    document: Block = {"format": file_format, "name": _name(name), "source": _source(media)}
    document.update({k: part[k] for k in ("context", "citations") if part.get(k) is not None})
    if "citations" in document and file_format in TEXT_FORMATS and media.data is not None:
        document["source"] = {"text": decode_text(media.data)}  # only text can be cited
    return {"document": document}


def _url(part: Block, name: str) -> str:
    found = part.get(name)
    url = found.get("url") if isinstance(found, dict) else found
    if not isinstance(url, str):
        raise RequestError(f"`messages`: an {name} part has no url.", param="messages")
    return url


def _file_media(data: str, filename: str) -> Media:
    """``data`` is a data URL, an address, or bare base64, whose format the file's name says."""
    media = media_of(data)
    if media.url is None or media.url.startswith((S3, "http://", "https://")):
        return media
    return Media(None, data)


def _source(media: Media) -> Block:
    if media.url is None:
        return {"bytes": media.data}
    if media.url.startswith(S3):
        return {"s3Location": {"uri": media.url}}
    raise RequestError(
        "`messages`: Bedrock fetches nothing from the web: send the bytes as a data URL, or an"
        " s3:// address.",
        param="messages",
    )


def _format(media: Media, formats: Mapping[str, str], what: str, filename: str = "") -> str:
    """The format by the media type, else by the extension of the file's name or address.
    ``formats`` has the media types and their formats; ``what`` is the noun for the error."""
    by_type = formats.get((media.media_type or "").lower())
    if by_type is not None:
        return by_type
    extension = (filename or media.url or "").rpartition(".")[2].lower()
    by_extension = EXTENSIONS.get(extension, extension)
    if by_extension in formats.values():
        return by_extension
    if media.url is not None and not media.url.startswith(S3):
        _source(media)  # raises: that the file is on the web is the more important error
    named = media.media_type or f".{extension}"
    supported = ", ".join(dict.fromkeys(formats.values()))
    message = f"`messages`: Bedrock takes no {what} of type {named}, but {supported}."
    raise RequestError(message, param="messages")


def _name(title: str) -> str:
    """Document names may have letters, digits, single spaces, hyphens, parentheses and square
    brackets."""
    return INVALID_IN_NAME.sub(" ", title).strip()[:MAX_NAME_LENGTH].strip() or "document"
