"""Cache of the request heads of one connection: clients send the same head again and again, except
for the digits of its ``content-length``.

A cached head is not parsed again. It must match to the byte, and its digits must be those of the
body behind it in plain decimal (``b"%d"``). The parser accepted every other byte before, so it
would accept these too and give the same result. ``learn`` ignores every head for which the parser
and a naive split into lines disagree: a second length, a transfer coding, a folded line, an offer
to upgrade, anything that the parser repairs or leaves out.

A head contains the client's key, so it stays with the connection that sent it, and is dropped with
it; with it stay the digests of its keys, which are compared with those of the gateway for every
request. A dictionary compares keyed hashes first, so the time of a lookup does not tell how close a
guess was.

The gain is about a tenth of a relayed request. Without this file ``HttpProtocol.data_received``
would be ``_read`` alone.
"""

from __future__ import annotations

from headway.dialects.base import Dialect
from headway.policy.request_headers import read_facts
from headway.types import Headers, HeadFacts

HEAD_LIMIT = 4096
"""Bytes of the longest head that is kept."""
COUNT_LIMIT = 8
"""Heads of one connection. A client that sends more sends a new one each time (trace ids), and
looking them up would find nothing."""

MARK = b"ength: "
"""The bytes before the digits. The digits are cut out at its first occurrence, so there is only one
place where they can have been."""
MARK_SIZE = len(MARK)
LENGTH = b"\r\ncontent-length: "

Route = tuple[Dialect, str, str]
"""The dialect, the argument in the path, and the query."""
CachedHead = tuple[Route, HeadFacts, Headers, Headers]
"""The route, and the headers before and after ``content-length``."""


class RequestHeadCache:
    """The parsed heads of one connection, by the head without its digits."""

    __slots__ = ("_heads", "_is_disabled")

    def __init__(self) -> None:
        self._heads: dict[bytes, CachedHead] = {}
        self._is_disabled = False

    def __len__(self) -> int:
        return len(self._heads)

    def lookup(self, data: bytes) -> tuple[Route, HeadFacts, Headers, bytes] | None:
        """The route, headers and body of ``data`` if it is one whole request with a cached head."""
        if not self._heads:
            return None
        end = data.find(b"\r\n\r\n") + 4
        digits = b"%d" % (len(data) - end)
        at = data.find(MARK, 0, end) + MARK_SIZE
        found = self._heads.get(data[:at] + data[at + len(digits) : end])
        if found is None or not data.startswith(digits, at):
            return None
        route, facts, before, after = found
        return route, facts, [*before, (b"content-length", digits), *after], data[end:]

    def learn(self, data: bytes, url: bytes, headers: Headers, route: Route) -> None:
        """Keep the head of ``data``, of which the parser made ``url`` and ``headers``, if ``data``
        is one whole request."""
        end = data.find(b"\r\n\r\n") + 4
        digits = b"%d" % (len(data) - end)
        at = data.find(MARK, 0, end) + MARK_SIZE
        if self._is_disabled or not data.startswith(digits, at):
            return
        if len(self._heads) >= COUNT_LIMIT:
            self._is_disabled = True
            self._heads.clear()
            return
        head = data[:end]
        key = head[:at] + head[at + len(digits) :]
        if len(key) > HEAD_LIMIT or not key.startswith(b"\r\n", at):
            return
        if key[:at].lower().endswith(LENGTH) and _split(head) == (url, list(headers)):
            line = key.count(b"\r\n", 0, at) - 1
            facts = read_facts(headers, route[2])
            self._heads[key] = (route, facts, tuple(headers[:line]), tuple(headers[line + 1 :]))


def _split(head: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The naive reading of a head: the URL if it is a POST in HTTP/1.1, and the text before and
    after the first colon of each line."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    url = first.removeprefix(b"POST ").removesuffix(b" HTTP/1.1")
    is_plain_post = first == b"POST %b HTTP/1.1" % url
    headers = [(name.lower(), value.lstrip(b" ")) for name, _, value in pairs]
    return url if is_plain_post else b"", headers
