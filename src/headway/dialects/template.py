"""The chunks of a stream that differ in nothing but a piece of text, and the time.

All else in them is encoded once, with marks where those go, and cut there.
"""

from __future__ import annotations

import msgspec

MARK = "\0"
"""Stands for the text. A caller's own text may hold it, too: then there is no template."""
NEVER = -1.5
"""Stands for the time."""

_encode = msgspec.json.Encoder().encode
_TEXT = _encode(MARK)
_TIME = b'"timestamp":' + _encode(NEVER)


def cut(chunk: bytes, texts: int) -> tuple[bytes, ...] | None:
    """The parts around each place of the text, of which there must be so many. With a time there
    is one part more: each ends where a text or the time is to follow."""
    before, time, after = chunk.partition(_TIME)
    parts = before.split(_TEXT)
    if time:
        parts[-1] += time.removesuffix(_encode(NEVER))
        parts += after.split(_TEXT)
    return tuple(parts) if chunk.count(_TEXT) == texts else None
