"""Google's parts with media (Blob and FileData in ai.google.dev/api/caching) as OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping

from headway.dialects.gemini.names import Fields, read_object
from headway.wire.sealed_reasoning import padded_base64

AUDIO_FORMATS: Mapping[str, str] = {"mpeg": "mp3", "wave": "wav", "x-wav": "wav", "vnd.wave": "wav"}
"""Subtypes of audio whose name is not OpenAI's."""
SUFFIXES: Mapping[str, str] = {"plain": "txt", "markdown": "md", "x-python": "py"}
"""Subtypes of documents that are no suffix of a file's name."""
MEDIA = ("inlineData", "fileData")


def convert_media(part: Fields) -> Fields | None:
    """OpenAI's part for one with ``inlineData`` or ``fileData``; None for any other."""
    if "inlineData" in part:
        blob = read_object(part["inlineData"])
        media_type, data = str(blob.get("mimeType") or ""), padded_base64(str(blob["data"]))
        if media_type.startswith("audio/"):
            subtype = media_type.partition("/")[2].partition(";")[0]
            sound = {"data": data, "format": AUDIO_FORMATS.get(subtype, subtype)}
            return {"type": "input_audio", "input_audio": sound}
        return _located(f"data:{media_type};base64,{data}", media_type, blob.get("displayName"))
    if "fileData" in part:
        stored = read_object(part["fileData"])
        media_type = str(stored.get("mimeType") or "")
        return _located(str(stored["fileUri"]), media_type, stored.get("displayName"))
    return None


def _located(url: str, media_type: str, name: str | None) -> Fields:
    kind, _, subtype = media_type.partition(";")[0].partition("/")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "video":
        return {"type": "video_url", "video_url": {"url": url}}
    suffix = SUFFIXES.get(subtype, subtype)
    file = {"filename": name or (f"document.{suffix}" if suffix else "document"), "file_data": url}
    return {"type": "file", "file": file}
