"""Ids of requests: random UUIDs, drawn many at a time."""

from __future__ import annotations

import os
import re

POOL_SIZE = 64
VERSION = bytes(byte & 0x0F | 0x40 for byte in range(256))
VARIANT = bytes(byte & 0x3F | 0x80 for byte in range(256))
GROUPS = re.compile("(.{8})(.{4})(.{4})(.{4})(.{12})")


class IdSource:
    """Each call returns a new UUID (RFC 9562, version 4) from the system's randomness."""

    def __init__(self) -> None:
        self._pool: list[str] = []

    def __call__(self) -> str:
        if not self._pool:
            self._pool = _new_ids(POOL_SIZE)
        return self._pool.pop()


def _new_ids(count: int) -> list[str]:
    """In each, byte 6 (from 0) holds the version, and byte 8 the variant."""
    drawn = bytearray(os.urandom(16 * count))
    drawn[6::16] = drawn[6::16].translate(VERSION)
    drawn[8::16] = drawn[8::16].translate(VARIANT)
    return list(map("-".join, GROUPS.findall(drawn.hex())))
