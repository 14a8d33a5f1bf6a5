"""Ids as databases keep them: 16 bytes where they are UUIDs, text otherwise."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from contextlib import suppress


def pack_id(text: str) -> bytes | str:
    """The 16 bytes of a UUID in its usual form (lower case, with hyphens), else the text."""
    if len(text) == 36 and text[8:24:5] == "----" and text.islower():
        try:
            packed = unhexlify(text.replace("-", ""))
        except ValueError:
            return text
        return packed if len(packed) == 16 else text
    return text


def pack_ids(texts: Sequence[str]) -> list[bytes | str]:
    """``pack_id`` of each, all at once where they are UUIDs."""
    joined, count = "".join(texts), len(texts)
    hyphens = "-" * count
    are_alike = (
        len(joined) == 36 * count
        and set(map(len, texts)) == {36}
        and all(joined[at::36] == hyphens for at in (8, 13, 18, 23))
        and all(map(str.islower, texts))
    )
    if are_alike:
        with suppress(ValueError):
            packed = unhexlify(joined.replace("-", ""))
            if len(packed) == 16 * count:
                return [packed[at : at + 16] for at in range(0, len(packed), 16)]
    return list(map(pack_id, texts))


def pack_prefixed_id(text: str) -> bytes | str:
    """As ``pack_id``; digits after a prefix, as in ``req_0123456789abcdef``, are packed as well."""
    prefix, mark, digits = text.rpartition("_")
    if not mark or not 16 <= len(digits) <= 64 or len(digits) % 2 or not digits.islower():
        return pack_id(text)
    try:
        packed = unhexlify(digits)
    except ValueError:
        return text
    joined = packed + b"_" + prefix.encode()
    return text if len(joined) == 15 else bytes((len(packed),)) + joined


def unpack_id(packed: bytes | str) -> str:
    if isinstance(packed, str):
        return packed
    if len(packed) != 16:
        size = packed[0] + 1
        return f"{packed[size + 1 :].decode()}_{packed[1:size].hex()}"
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
