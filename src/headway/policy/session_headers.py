"""Which session a request belongs to, as its client's headers say."""

from __future__ import annotations

from headway.types import Headers

SESSION_HEADERS = (
    b"x-headway-session",
    b"x-claude-code-session-id",
    b"session-id",
    b"session_id",
    b"thread-id",
    b"conversation_id",
    b"x-session-id",
    b"x-session-affinity",
    b"x-opencode-session",
    b"otari-conversation-id",
)
"""The headers that name a session; the first of them that a request has counts. The second is
Claude Code's, the next four are those of Codex and its earlier versions, then three of opencode and
one of Otari's clients."""
MAX_LENGTH = 256
"""Characters."""
_VISIBLE = bytes(c if 0x20 <= c < 0x7F else 0x3F for c in range(256))
"""All but visible ASCII as question marks, so that an id can stand in a line of a log."""


def find_session_id(headers: Headers) -> str | None:
    """The id of the session; None if no header names one. Header names are in lower case."""
    by_name = dict(headers)
    for name in SESSION_HEADERS:
        if (session_id := clean_session_id(by_name.get(name, b""))) is not None:
            return session_id
    return None


def clean_session_id(value: bytes) -> str | None:
    """At most ``MAX_LENGTH`` visible characters; None if there are none."""
    return value.strip()[:MAX_LENGTH].translate(_VISIBLE).decode() or None
