"""Precomputed chunks of a translated stream, which differ only in their text and their time.

A chunk is encoded once with placeholders and cut at them; later chunks are joined from the parts.
"""

from __future__ import annotations

import msgspec

MARK = "\0"
"""Placeholder of the text. Where the rest of the chunk contains it too, there is no template."""
NEVER = -1.5
"""Placeholder of the time."""

_encode = msgspec.json.Encoder().encode
_TEXT = _encode(MARK)
_TIME = b'"timestamp":' + _encode(NEVER)


def cut_template(chunk: bytes, texts: int) -> tuple[bytes, ...] | None:
    """The parts of ``chunk`` between its placeholders: ``texts`` of them are texts, one more is the
    time if it has one. None where the number of text placeholders is another."""
    before, time, after = chunk.partition(_TIME)
    parts = before.split(_TEXT)
    if time:
        parts[-1] += time.removesuffix(_encode(NEVER))
        parts += after.split(_TEXT)
    return tuple(parts) if chunk.count(_TEXT) == texts else None
