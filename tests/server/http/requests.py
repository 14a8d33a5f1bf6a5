"""Requests to a hot route as bytes."""

from __future__ import annotations

PATH = b"/api/engine/chat/echo"
FIRST = b"POST %b HTTP/1.1" % PATH
HOST = b"host: here"
LENGTH = b"content-length: %d"


def request(*lines: bytes, body: bytes = b"{}", first: bytes = FIRST) -> bytes:
    """A ``%d`` in ``lines`` becomes the body's length."""
    head = b"".join(line.replace(b"%d", b"%d" % len(body)) + b"\r\n" for line in (first, *lines))
    return head + b"\r\n" + body
