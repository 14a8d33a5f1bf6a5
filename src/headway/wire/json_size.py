"""How much a JSON text holds, found without decoding it."""

from __future__ import annotations

import re
from itertools import islice

# A string that does not end reaches the end of the text, so that no byte is read twice.
_ITEM = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{\[]', re.DOTALL)


def has_more_items(text: bytes, limit: int) -> bool:
    """Whether there are more than ``limit`` strings, names of fields, objects and lists.

    Decoding a text takes memory and time for each of them, whatever its size in bytes. Numbers are
    not counted: embeddings of tokens are lists of millions.
    """
    if len(text) <= limit:  # each takes a byte or more
        return False
    if text.count(b'"') // 2 + text.count(b"{") + text.count(b"[") <= limit:
        return False
    return next(islice(_ITEM.finditer(text), limit, None), None) is not None
