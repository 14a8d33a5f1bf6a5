"""Parts of OpenAI's messages as Google's: text, images, documents, audio and videos, each as bytes
inline or as an address.

An address passes through: both services fetch public ones, Vertex AI also gs:// and each its own
files (ai.google.dev/gemini-api/docs/file-input-methods; for Vertex, FileData in the REST
reference). Both require the MIME type, which the address's suffix gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from headway.providers.chat_messages import File, ImageUrl, Media, Part, media_of

FILES = "https://generativelanguage.googleapis.com/v1beta/"
MIME_TYPES: Mapping[str, str] = {
    "3gp": "video/3gpp", "aac": "audio/aac", "aiff": "audio/aiff", "avi": "video/avi",
    "bmp": "image/bmp", "css": "text/css", "csv": "text/csv", "flac": "audio/flac",
    "gif": "image/gif", "heic": "image/heic", "heif": "image/heif", "htm": "text/html",
    "html": "text/html", "jpeg": "image/jpeg", "jpg": "image/jpeg", "js": "text/javascript",
    "json": "application/json", "m4a": "audio/m4a", "md": "text/md", "mov": "video/mov",
    "mp3": "audio/mp3", "mp4": "video/mp4", "mpeg": "video/mpeg", "mpg": "video/mpeg",
    "ogg": "audio/ogg", "pdf": "application/pdf", "png": "image/png", "py": "text/x-python",
    "rtf": "text/rtf", "txt": "text/plain", "wav": "audio/wav", "webm": "video/webm",
    "webp": "image/webp", "wmv": "video/wmv", "xml": "text/xml",
}  # fmt: skip
"""By the suffix of a name."""
SUFFIX = re.compile(r"\.(\w+)(?:[?#].*)?$", re.DOTALL)

Fields = dict[str, Any]


def convert_part(part: Part) -> Fields | None:
    """None for an empty part, or one of a type that Google does not know."""
    convert = CONVERTERS.get(part.type)
    return None if convert is None else convert(part)


def _mime_type(name: str, default: str) -> str:
    """By the suffix of a file name or an address."""
    found = SUFFIX.search(name)
    return MIME_TYPES.get(found[1].lower(), default) if found else default


def _text(part: Part) -> Fields | None:
    return {"text": part.text} if part.text else None


def _refusal(part: Part) -> Fields | None:
    return {"text": part.refusal} if part.refusal else None


def _image(part: Part) -> Fields | None:
    return _from_url(part.image_url, "image/jpeg")


def _video(part: Part) -> Fields | None:
    return _from_url(part.video_url, "video/mp4")


def _from_url(given: ImageUrl | str | None, default_type: str) -> Fields | None:
    url = given.url if isinstance(given, ImageUrl) else given
    return None if url is None else _media(media_of(url), default_type)


def _audio(part: Part) -> Fields | None:
    audio = part.input_audio
    return None if audio is None else _inline(f"audio/{audio.format}", audio.data)


def _file(part: Part) -> Fields | None:
    file = part.file or File()
    if file.file_data is None:
        return None if file.file_id is None else _stored_file(file.file_id, file.filename)
    media = media_of(file.file_data)
    if media.url is not None and "://" not in media.url:  # bare base64
        media = Media(data=media.url)
    return _media(media, _mime_type(file.filename or "", "application/pdf"))


def _stored_file(file_id: str, name: str | None) -> Fields:
    """A file at Google, which knows its type: the type is sent only where a suffix gives it."""
    uri = FILES + file_id if file_id.startswith("files/") else file_id
    mime_type = _mime_type(name or uri, "")
    return {"fileData": {"mimeType": mime_type, "fileUri": uri} if mime_type else {"fileUri": uri}}


def _media(media: Media, default_type: str) -> Fields:
    if media.data is not None:
        return _inline(media.media_type or default_type, media.data)
    uri = media.url or ""
    return {"fileData": {"mimeType": _mime_type(uri, default_type), "fileUri": uri}}


def _inline(mime_type: str, data: str) -> Fields:
    return {"inlineData": {"mimeType": mime_type, "data": data}}


CONVERTERS: Mapping[str, Callable[[Part], Fields | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "video_url": _video,
    "input_audio": _audio,
    "file": _file,
}
"""By the part's type."""
