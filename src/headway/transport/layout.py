"""Whole answers in one read, taken without the parser where it has taken one like it before.

The heads of an upstream differ in their values and hardly ever in their names. A ``Layout`` is what
they have in common: a pattern of such a head with every name as it was and, for values, printable
ASCII with one space before it and none behind. That has one reading, and so has what it says of the
body: its very length, or one chunk and the last. Whatever else comes is the parser's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from headway.types import Headers

LONGEST = 8192
"""Bytes of a head that has a layout."""
MOST = 64
"""Headers of it."""
WIDEST = 2048
"""Bytes of it that a pattern spells out, four times what is seen. To compile one takes a
millisecond for some 1500 of them, and whoever answers can ask for a new one every other time."""
LENGTH, CODING, CONNECTION = b"content-length", b"transfer-encoding", b"connection"
UNFIT = frozenset(
    {b"content-encoding", b"keep-alive", b"proxy-connection", b"trailer", b"upgrade"},
)
"""Headers that say more of the body or the connection than a layout knows."""
FRAMING = {CODING: b"chunked", CONNECTION: b"keep-alive"}
"""Headers of which it knows one value, whatever the case of its letters."""
STEADY = frozenset(
    {
        *FRAMING,
        b"access-control-allow-origin",
        b"access-control-expose-headers",
        b"alt-svc",
        b"cache-control",
        b"content-type",
        b"server",
        b"strict-transport-security",
        b"vary",
        b"via",
        b"x-content-type-options",
    }
)
"""Headers that mostly have one value: a layout has it too, and need not cut it out of each head."""
VALUE = rb"([\x21-\x7e][\x20-\x7e]*+)(?<! )"
NAMED = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110, section 5.6.2."""
VALUED = re.compile(VALUE)
START = re.compile(rb"HTTP/1\.1 200(?: [\x20-\x7e]*)?")
"""Errors are seldom, and shall not take the place of what is frequent."""


class Layout(Struct, frozen=True):
    """Of answers with status 200. ``names`` are lower case, as many as ``match`` has groups."""

    match: Callable[[bytes], re.Match[bytes] | None]
    names: tuple[bytes, ...]
    steady: tuple[tuple[bytes, bytes], ...]
    """The headers that ``match`` has no groups for."""
    length_at: int | None
    """Which of ``names`` is the content-length; None if the body is chunked."""

    def read(self, data: bytes) -> tuple[Headers, bytes] | None:
        """The headers, those that are steady last, and the body of an answer that is all of
        ``data``. None if it is not, or not plainly so."""
        match = self.match  # fetched before it is called: else it is looked for among the methods
        found = match(data)
        if found is None:
            return None
        start = found.end()
        values = found.groups()
        length_at = self.length_at
        if length_at is None:
            body = _sole_chunk(data, start)
        elif values[length_at] == b"%d" % (len(data) - start):
            body = data[start:]
        else:
            return None
        if body is None or start > LONGEST:
            return None
        return [*zip(self.names, values), *self.steady], body  # noqa: B905 - it takes as long again


def find_layout(data: bytes) -> Layout | None:
    """The layout of a whole answer that the parser took. None if it has none."""
    start, *lines = data[:LONGEST].partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines]
    parts = [
        line if name.lower() in STEADY else name for line, name in zip(lines, names, strict=True)
    ]
    layout = _layout(start, tuple(parts))
    return layout if layout is not None and layout.read(data) is not None else None


@lru_cache(maxsize=256)
def _layout(start: bytes, parts: tuple[bytes, ...]) -> Layout | None:
    """``parts`` are the lines of the steady headers, and of the others the names. Kept for all
    connections: to compile one takes as long as a thousand readings."""
    pairs = [part.partition(b": ")[::2] for part in parts]
    names = [name.lower() for name, _ in pairs]
    is_plain = (
        START.fullmatch(start)
        and len(names) <= MOST
        and sum(map(len, parts), len(start)) <= WIDEST
        and all(map(NAMED.fullmatch, names))
        and UNFIT.isdisjoint(names)
        and names.count(LENGTH) + names.count(CODING) == 1
        and names.count(CONNECTION) <= 1
    )
    steady = [(n, value) for n, (_, value) in zip(names, pairs, strict=True) if n in STEADY]
    if not is_plain or not all(_is_fit(name, value) for name, value in steady):
        return None
    others = tuple([name for name in names if name not in STEADY])
    return Layout(
        _pattern(start, pairs).match,
        others,
        tuple(steady),
        others.index(LENGTH) if LENGTH in others else None,
    )


def _is_fit(name: bytes, value: bytes) -> bool:
    known = FRAMING.get(name)
    return VALUED.fullmatch(value) is not None and (known is None or value.lower() == known)


def _pattern(start: bytes, pairs: list[tuple[bytes, bytes]]) -> re.Pattern[bytes]:
    lines = [b"%b: %b" % (re.escape(name), re.escape(value) or VALUE) for name, value in pairs]
    return re.compile(b"\r\n".join([re.escape(start), *lines, b"\r\n"]))


def _sole_chunk(data: bytes, start: int) -> bytes | None:
    """Of a body that is one chunk, then the last one, with nothing to them (RFC 9112, 7.1)."""
    begin = data.find(b"\r\n", start, start + 10) + 2
    end = len(data) - 7
    is_sole = (
        begin < end
        and data.endswith(b"\r\n0\r\n\r\n")
        and data[start:begin] == b"%x\r\n" % (end - begin)
    )
    return data[begin:end] if is_sole else None
