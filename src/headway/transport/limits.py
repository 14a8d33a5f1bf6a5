"""Limits of a transport: on one response, and on the connections to one origin."""

from __future__ import annotations

import sys

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds."""

    head_bytes: int = 65_536
    """Limit of a response head; also of trailers, chunk extensions and consecutive 1xx
    responses."""
    header_count: int = 256
    body_bytes: int = sys.maxsize
    """Limit of a body as transferred, without its transfer coding."""
    decoded_bytes: int = 268_435_456
    """Limit of a compressed body after decompression, against decompression bombs."""
    connections: int = 1000
    """Open at once to one origin; further requests wait in order of arrival."""
    idle_connections: int = 256
    """Kept for reuse, for one origin."""
    idle_s: float = 30.0
    """Time for which an unused connection is kept."""
    drain_bytes: int = 65_536
    """Bytes to drain after ``UpstreamRequest.finish`` so that the connection can be used again."""
    drain_s: float = 1.0
