"""Content blocks of Anthropic's requests as parts in OpenAI's format
(platform.claude.com/docs/en/api/messages/create). Texts and data are not decoded: they are sent as
the client wrote them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import InvalidField
from headway.types import NO_RAW, Transformation

Block = dict[str, Raw]
Part = dict[str, Any]
Noted = dict[Transformation, None]
"""Transformations in the order in which they were made, each once."""

ONLY_HERE = "only Anthropic's wire format has it"
EMPTY = (b"", b"null", b'""', b"[]")
BILLING_HEADER = b'"x-anthropic-billing-header:'
"""The beginning of a text that coding agents put before the system prompt. It differs in every
request, so that no prompt cache would ever hit behind it."""

_blocks = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_text = msgspec.json.Decoder(str).decode
_source = msgspec.json.Decoder(dict[str, Raw]).decode


def note_dropped(noted: Noted, path: str, reason: str = ONLY_HERE) -> None:
    noted[Transformation("dropped", path, reason)] = None


def is_given(raw: Raw | None) -> bool:
    return raw is not None and bytes(raw) not in EMPTY


def text_of(block: Block, name: str) -> str:
    """A field that is a text; empty where it is absent or null. Raises msgspec.ValidationError."""
    raw = block.get(name, NO_RAW)
    return _text(raw) if is_given(raw) else ""


def blocks_of(content: Raw) -> list[Block]:
    """The blocks of a content, which may be one text. Raises msgspec.ValidationError."""
    if bytes(content)[:1] == b'"':
        return [{"type": Raw(b'"text"'), "text": content}]
    return _blocks(content) if is_given(content) else []


def convert_blocks(blocks: Iterable[Block], noted: Noted) -> list[Part]:
    """The parts of the blocks that a user, a system prompt or a tool may have."""
    parts: list[Part] = []
    for block in blocks:
        kind = text_of(block, "type")
        convert = CONVERTERS.get(kind)
        if convert is None:
            note_dropped(noted, f"messages[].content[].{kind}")
        else:
            parts += convert(block, noted)
    return parts


def content_of(parts: list[Part]) -> Any:
    """A text alone without a mark is a string, as all providers take it."""
    if not parts:
        return ""
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"]
    return parts


def text_part(block: Block, noted: Noted) -> list[Part]:
    """Empty texts are left out, and the header that only bills."""
    text = block.get("text", NO_RAW)
    if not is_given(text):
        return []
    if bytes(text).startswith(BILLING_HEADER):
        note_dropped(noted, "system[].x-anthropic-billing-header")
        return []
    if is_given(block.get("citations")):
        note_dropped(noted, "messages[].content[].citations")
    return [_marked({"type": "text", "text": text}, block)]


def _marked(part: Part, block: Block, *names: str) -> Part:
    """The part with the block's ``cache_control``, and with further fields of ``names``."""
    given = {name: block[name] for name in (*names, "cache_control") if is_given(block.get(name))}
    return {**part, **given}


# --- Images and documents -------------------------------------------------------------------------


def _image_part(block: Block, noted: Noted) -> list[Part]:
    source = _source(block["source"])
    if text_of(source, "type") == "file":
        part = {"type": "file", "file": {"file_id": source["file_id"]}}
    else:
        part = {"type": "image_url", "image_url": {"url": _url(source)}}
    return [_marked(part, block)]


def _url(source: Block) -> Any:
    """The web address, or the data as a data URL (RFC 2397)."""
    if text_of(source, "type") == "url":
        return source["url"]
    return f"data:{text_of(source, 'media_type')};base64,{text_of(source, 'data')}"


def _document_part(block: Block, noted: Noted) -> list[Part]:
    """A document that consists of blocks becomes their parts."""
    source = _source(block["source"])
    kind = text_of(source, "type")
    if kind == "content":
        inner = convert_blocks(blocks_of(source["content"]), noted)
        if inner:
            inner[-1] = _marked(inner[-1], block)
        return inner
    file: Part = {"file_id": source["file_id"]} if kind == "file" else _file(block, source, kind)
    return [_marked({"type": "file", "file": file}, block, "context", "citations")]


def _file(block: Block, source: Block, kind: str) -> Part:
    title = text_of(block, "title")
    if kind != "text":
        return {"filename": title or "document.pdf", "file_data": _url(source)}
    data = base64.b64encode(text_of(source, "data").encode()).decode()
    return {"filename": title or "document.txt", "file_data": f"data:text/plain;base64,{data}"}


def _search_result_parts(block: Block, noted: Noted) -> list[Part]:
    """The title and the address before the texts."""
    noted[SEARCH_RESULT] = None
    head = f"{text_of(block, 'title')}\n{text_of(block, 'source')}".strip()
    inner = convert_blocks(blocks_of(block.get("content", NO_RAW)), noted)
    parts: list[Part] = [{"type": "text", "text": head}, *inner]
    return [*parts[:-1], _marked(parts[-1], block)]


SEARCH_RESULT = Transformation("emulated", "messages[].content[].search_result", "as text")
CONVERTERS: dict[str, Callable[[Block, Noted], list[Part]]] = {
    "text": text_part,
    "image": _image_part,
    "document": _document_part,
    "search_result": _search_result_parts,
}


def malformed(exc: Exception) -> InvalidField:
    """The error of a message that lacks a field, or has one of another type."""
    why = f"a block lacks {exc}" if isinstance(exc, KeyError) else str(exc)
    return InvalidField(f"`messages` are not in Anthropic's format: {why}.", param="messages")
