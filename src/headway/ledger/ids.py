"""Ids as databases keep them: 16 bytes where they are UUIDs, text otherwise."""

from __future__ import annotations


def pack_id(text: str) -> bytes | str:
    """The 16 bytes of a UUID in its usual form (lower case, with hyphens), else the text."""
    if len(text) == 36 and text[8:24:5] == "----" and text.islower():
        try:
            packed = bytes.fromhex(text.replace("-", ""))
        except ValueError:
            return text
        return packed if len(packed) == 16 else text
    return text


def unpack_id(packed: bytes | str) -> str:
    if isinstance(packed, str):
        return packed
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
