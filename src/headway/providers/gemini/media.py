"""Pictures, documents, sounds and videos as Google's parts: bytes inline, or where they are.

An address goes as it is: both services fetch public ones, Vertex AI also gs:// and both their own
files (ai.google.dev/gemini-api/docs/file-input-methods; for Vertex, FileData in the REST
reference). Both want to know the kind beforehand, so it is told by the address's ending.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from headway.providers.chat_messages import File, ImageUrl, InputAudio, Media, Part, media_of

FILES = "https://generativelanguage.googleapis.com/v1beta/"
KINDS: Mapping[str, str] = {
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "avi": "video/avi",
    "bmp": "image/bmp",
    "css": "text/css",
    "csv": "text/csv",
    "flac": "audio/flac",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "m4a": "audio/m4a",
    "md": "text/md",
    "mov": "video/mov",
    "mp3": "audio/mp3",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "rtf": "text/rtf",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "wmv": "video/wmv",
    "xml": "text/xml",
}
ENDING = re.compile(r"\.(\w+)(?:[?#].*)?$", re.DOTALL)


def part_of(part: Part) -> dict[str, Any] | None:
    """None for a part that the wire has no word for, or that is empty."""
    reader = READERS.get(part.type)
    return None if reader is None else reader(part)


def kind_of(name: str, usual: str) -> str:
    """The MIME type that a name or address tells by its ending."""
    found = ENDING.search(name)
    return KINDS.get(found[1].lower(), usual) if found else usual


def _text(part: Part) -> dict[str, Any] | None:
    return {"text": part.text} if part.text else None


def _refusal(part: Part) -> dict[str, Any] | None:
    return {"text": part.refusal} if part.refusal else None


def _image(part: Part) -> dict[str, Any] | None:
    return _address(part.image_url, "image/jpeg")


def _video(part: Part) -> dict[str, Any] | None:
    return _address(part.video_url, "video/mp4")


def _address(given: ImageUrl | str | None, usual: str) -> dict[str, Any] | None:
    url = given.url if isinstance(given, ImageUrl) else given
    return None if url is None else _media(media_of(url), usual)


def _audio(part: Part) -> dict[str, Any] | None:
    sound: InputAudio | None = part.input_audio
    return None if sound is None else _inline(f"audio/{sound.format}", sound.data)


def _file(part: Part) -> dict[str, Any] | None:
    file = part.file or File()
    usual = kind_of(file.filename or "", "application/pdf")
    if file.file_data is not None:
        media = media_of(file.file_data)
        if media.url is not None and "://" not in media.url:  # bare base64
            media = Media(data=media.url)
        return _media(media, usual)
    return None if file.file_id is None else _stored(file.file_id, file.filename)


def _stored(file_id: str, name: str | None) -> dict[str, Any]:
    """A file that lies at Google, which knows its kind: it is told only where it is clear."""
    uri = FILES + file_id if file_id.startswith("files/") else file_id
    kind = kind_of(name or uri, "")
    return {"fileData": {"mimeType": kind, "fileUri": uri} if kind else {"fileUri": uri}}


def _media(media: Media, usual: str) -> dict[str, Any]:
    if media.data is not None:
        return _inline(media.media_type or usual, media.data)
    uri = media.url or ""
    return {"fileData": {"mimeType": kind_of(uri, usual), "fileUri": uri}}


def _inline(kind: str, data: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


READERS: Mapping[str, Callable[[Part], dict[str, Any] | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "video_url": _video,
    "input_audio": _audio,
    "file": _file,
}
