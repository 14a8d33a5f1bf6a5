"""The session in ``metadata.user_id``: Claude Code writes it there.

Since 2.1.78 the field is JSON, ``{"device_id": ..., "account_uuid": ..., "session_id": ...}``;
before, it was ``user_HASH_account_UUID_session_UUID``
(github.com/ding113/claude-code-hub/pull/939).
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, Struct

MARK = b"session"
_EARLIER = re.compile(r"user_\w+_account_[\w-]*_session_([\w-]+)")


class Metadata(Struct):
    user_id: str | None = None


class UserId(Struct):
    session_id: str


_decode_metadata = msgspec.json.Decoder(Metadata).decode
_decode_user_id = msgspec.json.Decoder(UserId).decode


def find_session(metadata: Raw | None) -> str | None:
    """The id of the session; None for a ``user_id`` that names none, as other clients send it."""
    if metadata is None or MARK not in bytes(metadata):
        return None
    try:
        user_id = _decode_metadata(metadata).user_id or ""
        if user_id.startswith("{"):
            return _decode_user_id(user_id).session_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    found = _EARLIER.fullmatch(user_id)
    return None if found is None else found[1]
