"""Ids as PostgreSQL keeps them: 16 bytes for each, which are a hash where the id is no UUID, and
then the text beside them."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from headway.ledger.ids import pack_id, unpack_id


def key_of(text: str) -> bytes:
    """The 16 bytes that stand for an id."""
    packed = pack_id(text)
    return packed if isinstance(packed, bytes) else hash_of(packed)


def key_of_packed(packed: bytes | str) -> bytes:
    """As ``key_of``, of what ``pack_id`` gave."""
    return packed if isinstance(packed, bytes) else hash_of(packed)


def hash_of(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


def clean(text: str) -> str:
    """``text`` without NUL, which PostgreSQL cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def pack_texts(*packed: bytes | str) -> str | None:
    """JSON of the ids that are text, with null for UUIDs; None where all are UUIDs."""
    texts = [each if isinstance(each, str) else None for each in packed]
    return msgspec.json.encode(texts).decode() if any(texts) else None


def unpack_texts(texts: str | None, *keys: bytes) -> list[str]:
    """The ids of ``keys`` and of what ``pack_texts`` gave."""
    if texts is None:
        return [unpack_id(key) for key in keys]
    found = msgspec.json.decode(texts, type=list[str | None])
    return [text or unpack_id(key) for text, key in zip(found, keys, strict=True)]
