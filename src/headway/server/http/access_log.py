"""The access log: one line for each request, whatever became of it."""

from __future__ import annotations

from collections.abc import Callable

CLIENT_LEFT = 499
"""The status of a request whose client left before the response began, as in nginx's log."""
UNKNOWN = "-"
LONGEST_PATH = 512
"""Characters of a path that are logged."""


class AccessEntry:
    """One request, as the access log shows it."""

    __slots__ = ("began", "method", "path", "request_id", "size", "status")

    def __init__(self, method: str, url: bytes, began: float) -> None:
        """``url`` is the request's target, of which the query is left out: it may hold a key.
        ``began`` is the clock when the request's head was complete."""
        self.method = method or UNKNOWN
        self.path = url.partition(b"?")[0][:LONGEST_PATH].decode("latin-1") or UNKNOWN
        self.began = began
        self.status = CLIENT_LEFT
        self.size = 0
        """Bytes of the response's body."""
        self.request_id: str | None = None


AccessLog = Callable[[AccessEntry], None]
"""Writes the line of a request that is over."""
