"""Heads that a connection has sent before: clients send the same one again and again, but for the
digits of its ``content-length``.

What such a head says is known without parsing it again. It has to be the same to the byte, and the
digits have to be those of the body behind it as everyone writes them (``b"%d"``), so the parser,
which took every other byte before, would have to take these too and come to the same end. Nothing
is remembered on which the parser and the plainest reading of the lines disagree: a second length,
a coding, a folded line, an offer to upgrade, anything that the parser mends or leaves out.

A head holds the caller's key, so it stays with the one connection that it came over, and goes with
it; a dictionary's look-up compares keyed hashes first, so its time does not tell how near a guess
was.
"""

from __future__ import annotations

from headway.dialects.base import Dialect
from headway.types import Headers

HEAD_LIMIT = 4096
"""Bytes of a head that is worth remembering."""
COUNT_LIMIT = 8
"""Heads of one connection. Who sends more of them sends ever new ones (ids of traces), and looking
for those is in vain."""

MARK = b"ength: "
"""What comes before the digits. Its first occurrence is where they are cut out, so a head without
its digits has one place only where they can have been."""
LENGTH = b"\r\ncontent-length: "

Known = tuple[Dialect, str, Headers, Headers]
"""The dialect, the path's argument, and the headers before and behind ``content-length``."""


class Heads(dict[bytes, Known]):
    """What one connection's heads say, by the head without its digits."""

    __slots__ = ()

    @property
    def is_full(self) -> bool:
        return len(self) >= COUNT_LIMIT

    def learn(
        self,
        key: bytes,
        at: int,
        digits: bytes,
        url: bytes,
        headers: Headers,
        found: tuple[Dialect, str],
    ) -> None:
        """The parser made ``url`` and ``headers`` of what begins with ``key``, a head that has the
        ``digits`` cut out at ``at``, and goes on with so many bytes."""
        if len(key) > HEAD_LIMIT:
            return
        if not key[:at].lower().endswith(LENGTH) or not key.startswith(b"\r\n", at):
            return
        if _read(key[:at] + digits + key[at:]) == (url, list(headers)):
            line = key.count(b"\r\n", 0, at) - 1
            self[key] = (*found, tuple(headers[:line]), tuple(headers[line + 1 :]))


def _read(head: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The plainest reading of a head there is: its address if it is a POST in HTTP/1.1, and what
    is before and behind the first colon of each line."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    address = first.removeprefix(b"POST ").removesuffix(b" HTTP/1.1")
    is_plain = first == b"POST %b HTTP/1.1" % address
    headers = [(name.lower(), value.lstrip(b" ")) for name, _, value in pairs]
    return address if is_plain else b"", headers
