"""How an attempt of a call that may have several came about: for its record, and the headers of its
response."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from msgspec import Struct

from headway.record import AttemptRole

SERVED_BY, ROUTE, HEDGED = "x-headway-served-by", "x-headway-route", "x-headway-hedged"
LONGEST = 512
"""Characters of a name in a header."""


class AttemptOrigin(Protocol):
    number: int
    """Among the attempts of its call, from 1."""
    role: AttemptRole
    target_id: str
    """``RouteTarget.id``."""
    route_name: str | None
    """None for a call of one model."""
    provider_key: str | None
    """The name of one of several keys."""
    decision: str | None
    """As in ``Record``."""
    upstream_request_bytes: int | None
    is_hedged: bool
    """Another attempt ran beside it."""

    header_lines: str
    """Of the response to the client, each with CRLF."""


class KeptOrigin(Struct):
    """Of a response that the cache keeps, or that another call is getting."""

    target_id: str
    route_name: str | None
    header_lines: str
    number: int = 0
    role: AttemptRole = "first"
    provider_key: str | None = None
    decision: str | None = None
    upstream_request_bytes: int | None = None
    is_hedged: bool = False


@lru_cache(maxsize=1024)
def header_lines(target_id: str, route_name: str | None, is_hedged: bool = False) -> str:
    if route_name is None:
        return ""
    lines = f"{SERVED_BY}: {_printable(target_id)}\r\n{ROUTE}: {_printable(route_name)}\r\n"
    return f"{lines}{HEDGED}: 1\r\n" if is_hedged else lines


def _printable(text: str) -> str:
    """Fit for a header: the names of patterns have the client's own words in them."""
    ascii_text = text[:LONGEST].encode("ascii", "replace").decode()
    return "".join(each if each.isprintable() else "?" for each in ascii_text)
