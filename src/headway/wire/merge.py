"""Merge two reports of the same facts, such as the token counts that a stream tells twice."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

EMPTY: tuple[Any, ...] = (None, "", [], {})


def merge_known(old: Any, new: Any) -> Any:
    """``new`` where it tells something, else ``old``: null, empty values and zeros replace nothing.
    Objects (dicts, or structs of one type) are merged field by field."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: merge_known(old.get(name), value) for name, value in new.items()}}
    if isinstance(old, Struct) and type(new) is type(old):
        names = type(old).__struct_fields__
        return type(old)(**{n: merge_known(getattr(old, n), getattr(new, n)) for n in names})
    if old is None:
        return new
    return old if new == 0 or new in EMPTY else new
