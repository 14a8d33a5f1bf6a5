"""What a transport allows: of an answer, and of connections to one origin."""

from __future__ import annotations

import sys

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds."""

    head_bytes: int = 65_536
    """Of an answer's head; also of trailers, chunk extensions and 1xx answers in one go."""
    header_count: int = 256
    body_bytes: int = sys.maxsize
    """Of a body as it was sent, transfer coding removed."""
    decoded_bytes: int = 268_435_456
    """Of a body that was compressed: what it may become, so that a small bomb stays small."""
    connections: int = 1000
    """Open at once to one origin; further requests wait in order of arrival."""
    idle_connections: int = 256
    """Kept for reuse, for one origin."""
    idle_s: float = 30.0
    """How long a connection is kept unused."""
    drain_bytes: int = 65_536
    """Read away after ``Sending.finish`` to save the connection."""
    drain_s: float = 1.0
