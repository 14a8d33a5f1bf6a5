"""Data that servers and proxies send only to keep a connection open: comments are the means of
server-sent events, but some send an event, or a line of NDJSON, with a word or an empty value."""

from __future__ import annotations

import re

KEEP_ALIVE = re.compile(
    rb"""\s* (?: null | true | false | -?\d+ | "" | \[\s*\] | \{\s*\}
        | [\["(:]* (?: ping | pong | keep[-_ ]?alive | heart[-_ ]?beat ) [\])".!]* ) \s*""",
    re.IGNORECASE | re.VERBOSE,
)
MAX_SIZE = 40
"""Bytes. No longer data is read."""


def is_keep_alive(data: bytes) -> bool:
    return len(data) <= MAX_SIZE and KEEP_ALIVE.fullmatch(data) is not None
