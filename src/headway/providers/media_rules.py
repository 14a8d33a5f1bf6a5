"""Transforms of wire rules about images and documents in messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from headway.errors import RequestError
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.transformations import emulated, renamed
from headway.providers.wire_rules import Adapt, Adapted, Rule, mended, refused
from headway.types import ChatRequest

PDF = "application/pdf"
SIGNATURES = {
    "image/png": re.compile(r"iVBORw0KGgo"),
    "image/jpeg": re.compile(r"[/_]9j[/_]"),
    "image/gif": re.compile(r"R0lGOD[dl]"),
    "image/webp": re.compile(r"UklGR.{6}XRUJQ"),
    PDF: re.compile(r"JVBERi0"),
}
"""Media type -> the first bytes of such a file, in base64 of either alphabet
(mimesniff.spec.whatwg.org, 6.1; a PDF begins with ``%PDF-``)."""
ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png",
           "application/x-pdf": PDF}  # fmt: skip
"""Names that are common and not registered (iana.org/assignments/media-types)."""
UNKNOWN_TYPES = ("", "application/octet-stream", "binary/octet-stream")
SCHEME = re.compile(rb'"\s*(?:data|DATA|Data):')
CANONICAL = re.compile(rb"data:([a-z]+/[a-z0-9.+-]+);base64,(.{0,24})", re.DOTALL)
UNUSUAL = (b"\\", b" ")
"""Bytes that base64 lacks: escapes, of line breaks mostly, and blanks."""
DATA_URL = re.compile(r"\s*data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL | re.IGNORECASE)
WHITE_SPACE = str.maketrans("", "", " \t\r\n")
AS_FILE = emulated("messages[].content[].image_url", "a PDF as a file")
REWRITTEN = "as a plain data URL"
POINTER = "See the attached document."
POINTER_ADDED = emulated("messages[].content", "a document alone, with a text that refers to it")


# --- Media types ----------------------------------------------------------------------------------


def correct_media_types(request: ChatRequest) -> Adapted:
    """Give data URLs of images and files the type that their bytes have, in lower case, and plain
    base64; make a file of a PDF that is sent as an image."""
    raw = bytes(request.messages)
    has_pdf_image = b"data:application/pdf" in raw and b'"image_url"' in raw
    if not has_pdf_image and all(map(_is_canonical, _data_urls(raw))):
        return request, ()
    return edit_messages(request, _with_correct_types)


def _data_urls(raw: bytes) -> Iterator[bytes]:
    """The data URLs in JSON, as they are written there."""
    for found in SCHEME.finditer(raw):
        start = found.start() + 1
        yield raw[start : raw.find(b'"', start)]


def _is_canonical(url: bytes) -> bool:
    found = CANONICAL.match(url)
    if found is None:
        return False
    media_type, start = found[1].decode(), found[2].decode("latin-1")
    if type_of(start) not in (None, media_type) or media_type in (*ALIASES, *UNKNOWN_TYPES):
        return False
    return not any(url.find(each, found.start(2)) >= 0 for each in UNUSUAL)


def type_of(data: str) -> str | None:
    """The media type by the first bytes of a file in base64; None for other types."""
    return next((name for name, start in SIGNATURES.items() if start.match(data)), None)


def _with_correct_types(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    changed = [_with_parts(message, noted) for message in messages]
    return changed if changed != messages else None


def _with_parts(message: Fields, noted: Noted) -> Fields:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_correct_part(part, noted) for part in content]
    return {**message, "content": parts} if parts != content else message


def _correct_part(part: Fields, noted: Noted) -> Fields:
    image, file = part.get("image_url"), part.get("file")
    if part.get("type") == "image_url":
        url = image.get("url") if isinstance(image, dict) else image
        if not isinstance(url, str):
            return part
        corrected = _corrected(url, "image_url", noted)
        if corrected.startswith(f"data:{PDF};"):
            noted[AS_FILE] = None
            rest = {name: value for name, value in part.items() if name != "image_url"}
            return {**rest, "type": "file", "file": _pdf_file(corrected)}
        given = image if isinstance(image, dict) else {}
        return part if corrected == url else {**part, "image_url": {**given, "url": corrected}}
    if part.get("type") == "file" and isinstance(file, dict) and file.get("file_data"):
        corrected = _corrected(file["file_data"], "file.file_data", noted)
        return {**part, "file": {**file, "file_data": corrected}}
    return part


def _pdf_file(url: str) -> Fields:
    return {"filename": "document.pdf", "file_data": url}


def _corrected(url: str, field: str, noted: Noted) -> str:
    """The data URL with the right type; any other URL as it is."""
    found = DATA_URL.match(url)
    if found is None or "base64" not in found[2].lower():
        return url
    data = found[3].translate(WHITE_SPACE)
    given = found[1].strip()
    media_type = ALIASES.get(given.lower(), given.lower())
    media_type = type_of(data) or media_type
    path = f"messages[].content[].{field}"
    if not media_type:
        return url
    corrected = f"data:{media_type};base64,{data}"
    if media_type != given:
        noted[renamed(path, f"{given or 'no type'} -> {media_type}")] = None
    elif corrected != url:
        noted[emulated(path, REWRITTEN)] = None
    return corrected


IMAGE_ADDRESS = re.compile(rb'"(?:url|image_url)"\s*:\s*"\s*https?:', re.IGNORECASE)


def refuse_image_addresses(title: str) -> Adapt:
    """Refuse images by their address: ``title`` takes them as data only."""

    def refuse(request: ChatRequest) -> Adapted:
        if IMAGE_ADDRESS.search(bytes(request.messages)) is not None:
            edit_messages(request, partial(_refuse_addresses, title))
        return request, ()

    return refuse


def _refuse_addresses(title: str, messages: list[Fields], noted: Noted) -> None:
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, dict) else image
            if isinstance(url, str) and url.strip().lower().startswith(("http:", "https:")):
                text = f"`messages`: {title} fetches no images: send the bytes as a data URL."
                raise RequestError(text, param="messages")


IMAGE_SUBJECTS = (
    "image_type", "image_type_alias", "image_type_capitals", "image_type_missing",
    "image_line_breaks",
)  # fmt: skip


def image_rules(source: str, *, has_documents: bool) -> tuple[Rule, ...]:
    """The rules of a wire format that takes images with their exact type, and whether it takes
    PDFs."""
    pdf = mended if has_documents else refused
    return (
        *(mended(subject, correct_media_types, source) for subject in IMAGE_SUBJECTS),
        pdf("pdf_as_image", correct_media_types, source),
    )


# --- Documents ------------------------------------------------------------------------------------


def add_text_to_documents(request: ChatRequest) -> Adapted:
    """Add a text to a turn of the user that has a document and no text, which Converse requires."""
    if b'"file"' not in bytes(request.messages):
        return request, ()
    return edit_messages(request, _with_pointers)


def _with_pointers(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    changed = list(messages)
    for place, message in enumerate(messages):
        neighbours = [*messages[:place][-1:], *messages[place + 1 :][:1]]
        turn = [message, *(each for each in neighbours if each.get("role") == "user")]
        is_alone = _has_document(message) and not any(map(_has_text, turn))
        if message.get("role") == "user" and is_alone:
            noted[POINTER_ADDED] = None
            parts = [*message["content"], {"type": "text", "text": POINTER}]
            changed[place] = {**message, "content": parts}
    return changed if noted else None


def _has_document(message: Fields) -> bool:
    content = message.get("content")
    files = [
        (part.get("file") or {}).get("file_data") or ""
        for part in (content if isinstance(content, list) else ())
        if part.get("type") == "file"
    ]
    return any(not data.startswith("data:image/") for data in files)


def _has_text(message: Fields) -> bool:
    content = message.get("content")
    if not isinstance(content, list):
        return bool(content)
    return any(part.get("type") == "text" and part.get("text") for part in content)
