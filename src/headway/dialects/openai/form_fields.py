"""The fields of a form as those of a JSON body, for what the gateway reads of a request.

A form has texts only: what looks like a number, true or false is one here, and a text that begins
with a bracket is JSON, if it is. SDKs write objects as ``metadata[team]=search`` (openai-python,
``_qs.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Raw

from headway.wire.multipart import Part

LONGEST = 16 * 1024
"""Bytes of a field that is read."""
NAMES = ("user", "safety_identifier")
"""Fields that are texts, whatever they look like."""
_LITERAL = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false")
_MEMBER = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")


def read_fields(parts: Iterable[Part], body: bytes) -> dict[str, Raw]:
    """Of the fields that are no files, and neither long nor the model."""
    fields: dict[str, Raw] = {}
    objects: dict[str, dict[str, str]] = {}
    for part in parts:
        if part.is_file or part.name == "model" or part.end - part.start > LONGEST:
            continue
        value = body[part.start : part.end]
        member = _MEMBER.fullmatch(part.name)
        if member is not None:
            members = objects.setdefault(member[1], {})
            members.setdefault(member[2], value.decode(errors="replace"))
        else:
            fields.setdefault(part.name, _as_json(part.name, value))
    return {name: Raw(msgspec.json.encode(members)) for name, members in objects.items()} | fields


def _as_json(name: str, value: bytes) -> Raw:
    if name not in NAMES:
        if _LITERAL.fullmatch(value):
            return Raw(value)
        if value[:1] in (b"{", b"[") and _is_json(value):
            return Raw(value)
    return Raw(msgspec.json.encode(value.decode(errors="replace")))


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
