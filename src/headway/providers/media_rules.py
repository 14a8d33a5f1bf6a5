"""Transforms of wire rules about images and documents in messages."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from urllib.parse import unquote, unquote_to_bytes

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
MAYBE_PDF = re.compile(rb"data:application/(?:x-)?pdf|\.pdf|JVBERi0", re.IGNORECASE)
SCHEME = re.compile(rb'"\s*(?:data|DATA|Data):')
CANONICAL = re.compile(rb"data:([a-z]+/[a-z0-9.+-]+);base64,(.{0,24})", re.DOTALL)
UNUSUAL = (b"\\", b" ")
"""Bytes that base64 lacks: escapes, of line breaks mostly, and blanks."""
FOR_URLS = (b"-", b"_", b"%")
"""Bytes that base64 for URLs has, and percent-encoding."""
ANY_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*=*")
DATA_URL = re.compile(r"\s*data:([^;,]{0,255})((?:;[^,]{0,1000})?),(.*)", re.DOTALL | re.IGNORECASE)
WHITE_SPACE = str.maketrans("", "", " \t\r\n")
TO_PLAIN_BASE64 = str.maketrans("-_", "+/", "=")
PDF_ADDRESS = re.compile(r"\s*https?://[^?#]*\.pdf(?:[?#].*)?", re.IGNORECASE | re.DOTALL)
AS_FILE = emulated("messages[].content[].image_url", "a PDF as a file")
REWRITTEN = "as a plain data URL"
IN_PLAIN_ALPHABET = emulated("messages[].content[]", "base64 in the usual alphabet, with padding")
POINTER = "See the attached document."
POINTER_ADDED = emulated("messages[].content", "a document alone, with a text that refers to it")


# --- Media types ----------------------------------------------------------------------------------


def correct_media_types(request: ChatRequest) -> Adapted:
    """Give data URLs of images and files the type that their bytes have, in lower case, and plain
    base64; make a file of a PDF that is sent as an image."""
    raw = bytes(request.messages)
    has_pdf_image = b"image_url" in raw and MAYBE_PDF.search(raw) is not None
    if not has_pdf_image and _are_canonical(raw):
        return request, ()
    return edit_messages(request, partial(_with_correct_types, True))


def correct_image_types(request: ChatRequest) -> Adapted:
    """As ``correct_media_types``, for providers without documents: a PDF stays where it is."""
    if _are_canonical(bytes(request.messages)):
        return request, ()
    return edit_messages(request, partial(_with_correct_types, False))


def _are_canonical(raw: bytes) -> bool:
    return not _may_have_media(raw) or all(map(_is_canonical, _data_urls(raw)))


def _may_have_media(raw: bytes) -> bool:
    return b"image_url" in raw or b"file_data" in raw


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


def _with_correct_types(
    has_documents: bool, messages: list[Fields], noted: Noted
) -> list[Fields] | None:
    changed = [_with_parts(message, has_documents, noted) for message in messages]
    return changed if changed != messages else None


def _with_parts(message: Fields, has_documents: bool, noted: Noted) -> Fields:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_correct_part(part, has_documents, noted) for part in content]
    return {**message, "content": parts} if parts != content else message


def _correct_part(part: Fields, has_documents: bool, noted: Noted) -> Fields:
    file, url = part.get("file"), _image_url(part)
    if part.get("type") == "image_url" and url is not None:
        return _correct_image(part, url, has_documents, noted)
    if part.get("type") == "file" and isinstance(file, dict) and file.get("file_data"):
        corrected = _corrected(file["file_data"], "file.file_data", noted)
        return {**part, "file": {**file, "file_data": corrected}}
    return part


def _correct_image(part: Fields, url: str, has_documents: bool, noted: Noted) -> Fields:
    is_pdf = _is_pdf(url)
    if is_pdf and not has_documents:
        return part
    corrected = _corrected(url, "image_url", noted)
    rest = {name: value for name, value in part.items() if name != "image_url"}
    if is_pdf:
        noted[AS_FILE] = None
        return {**rest, "type": "file", "file": _pdf_file(corrected)}
    if corrected == url:
        return part
    given = part["image_url"] if isinstance(part["image_url"], dict) else {}
    return {**rest, "image_url": {**given, "url": corrected}}


def _image_url(part: Fields) -> str | None:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else None


def _is_pdf(url: str) -> bool:
    """Whether it is a PDF's address, or its data without a fragment, which asks for something."""
    is_data = "#" not in url and _corrected(url, "", {}).startswith(f"data:{PDF};")
    return is_data or PDF_ADDRESS.fullmatch(url) is not None


def _pdf_file(url: str) -> Fields:
    return {"filename": "document.pdf", "file_data": url}


def _corrected(url: str, field: str, noted: Noted) -> str:
    """The data URL with the right type, in base64; any other URL, and one with a fragment, as it
    is."""
    found = DATA_URL.match(url)
    if found is None or "#" in url:
        return url
    data = found[3].translate(WHITE_SPACE)
    if "base64" not in found[2].lower():  # percent-encoded (RFC 2397)
        data = b64encode(unquote_to_bytes(found[3])).decode()
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


def use_plain_alphabet(request: ChatRequest) -> Adapted:
    """Data URLs in base64 of the usual alphabet, with padding (RFC 4648, 4)."""
    raw = bytes(request.messages)
    if not _may_have_media(raw) or all(map(_is_plain, _data_urls(raw))):
        return request, ()
    return edit_messages(request, _with_plain_alphabet)


def _is_plain(url: bytes) -> bool:
    start = url.find(b",") + 1
    has_padding = (len(url) - start) % 4 == 0
    return has_padding and not any(url.find(each, start) >= 0 for each in FOR_URLS)


def _with_plain_alphabet(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    changed = [_with_plain_parts(message) for message in messages]
    if changed == messages:
        return None
    noted[IN_PLAIN_ALPHABET] = None
    return changed


def _with_plain_parts(message: Fields) -> Fields:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [_with_plain_data(part) for part in content]}


def _with_plain_data(part: Fields) -> Fields:
    url, file = _image_url(part), part.get("file")
    if url is not None:
        image = part["image_url"] if isinstance(part["image_url"], dict) else {}
        return {**part, "image_url": {**image, "url": _plain(url)}}
    if isinstance(file, dict) and isinstance(file.get("file_data"), str):
        return {**part, "file": {**file, "file_data": _plain(file["file_data"])}}
    return part


def _plain(url: str) -> str:
    head, comma, data = url.partition(",")
    data = unquote(data) if "%" in data else data
    if not comma or not head.startswith("data:") or ANY_BASE64.fullmatch(data) is None:
        return url
    plain = data.translate(TO_PLAIN_BASE64)
    return f"{head},{plain}{'=' * (-len(plain) % 4)}"


IMAGE_ADDRESS = re.compile(rb'"(?:url|image_url)"\s*:\s*"\s*https?:', re.IGNORECASE)


def refuse_image_addresses(title: str) -> Adapt:
    """Refuse images by their address: ``title`` takes them as data only."""

    def refuse(request: ChatRequest) -> Adapted:
        if IMAGE_ADDRESS.search(bytes(request.messages)) is not None:
            edit_messages(request, partial(_refuse_addresses, title))
        return request, ()

    return refuse


def _refuse_addresses(title: str, messages: list[Fields], noted: Noted) -> None:
    for url in _image_urls(messages):
        if url.strip().lower().startswith(("http:", "https:")):
            text = f"`messages`: {title} fetches no images: send the bytes as a data URL."
            raise RequestError(text, param="messages")


def refuse_image_types(title: str, *types: str) -> Adapt:
    """Refuse images in data URLs that are of other types than ``types``, such as image/png."""

    def refuse(request: ChatRequest) -> Adapted:
        raw = bytes(request.messages)
        if b"image_url" in raw and not all(_has_type(url, types) for url in _data_urls(raw)):
            edit_messages(request, partial(_refuse_types, title, types))
        return request, ()

    return refuse


def _has_type(url: bytes, types: tuple[str, ...]) -> bool:
    return url.startswith(tuple(f"data:{name};".encode() for name in types))


def _refuse_types(title: str, types: tuple[str, ...], messages: list[Fields], _: Noted) -> None:
    for url in _image_urls(messages):
        found = DATA_URL.match(url)
        if found is not None and found[1].startswith("image/") and found[1] not in types:
            known = ", ".join(types)
            text = f"`messages`: {title} takes no images of type {found[1]}, but {known}."
            raise RequestError(text, param="messages")


def _image_urls(messages: list[Fields]) -> Iterator[str]:
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            url = _image_url(part)
            if url is not None:
                yield url


def refuse_pdf_images(title: str) -> Adapt:
    """Refuse PDFs in ``image_url`` parts: ``title`` takes no documents."""

    def refuse(request: ChatRequest) -> Adapted:
        raw = bytes(request.messages)
        if b"image_url" in raw and MAYBE_PDF.search(raw) is not None:
            edit_messages(request, partial(_refuse_pdfs, title))
        return request, ()

    return refuse


def _refuse_pdfs(title: str, messages: list[Fields], _: Noted) -> None:
    if any(map(_is_pdf, _image_urls(messages))):
        text = f"`messages`: {title} takes images in an image_url part, and no PDFs."
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
        mended("image_alphabet", use_plain_alphabet, source),
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
