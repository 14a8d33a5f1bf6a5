"""Ids as PostgreSQL keeps them: a ``uuid`` for each, which is a hash where the id is none, and then
the text beside it."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import msgspec

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_is_uuid = _UUID.fullmatch


def key_of(text: str) -> str:
    """The UUID that stands for an id: itself in its usual form (lower case, with hyphens)."""
    return text if _is_uuid(text) else hash_of(text)


def hash_of(text: str) -> str:
    """32 hex digits, which PostgreSQL reads as a ``uuid``."""
    return sha256(text.encode()).hexdigest()[:32]


def clean(text: str) -> str:
    """``text`` without NUL, which PostgreSQL cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def pack_texts(*ids: str) -> str | None:
    """JSON of the ids, with null for UUIDs; None where all are."""
    texts = [None if _is_uuid(text) else text for text in ids]
    return msgspec.json.encode(texts).decode() if any(texts) else None


def unpack_texts(packed: str | None, *found: Any) -> tuple[str, ...]:
    """The ids of the UUIDs ``found`` and of what ``pack_texts`` gave."""
    if packed is None:
        return tuple(map(str, found))
    texts = msgspec.json.decode(packed, type=list[str | None])
    return tuple([text or str(uuid) for text, uuid in zip(texts, found, strict=True)])
