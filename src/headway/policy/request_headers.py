"""Which headers of a client's request the gateway reads for itself, and the id of the request."""

from __future__ import annotations

import re
from operator import itemgetter

from headway.policy import gateway_loop
from headway.types import Headers

REQUEST_ID = b"x-request-id"
_READ = frozenset({REQUEST_ID, gateway_loop.HEADER_BYTES})
_ID = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}")
_name = itemgetter(0)


def has_own_headers(headers: Headers) -> bool:
    """Whether a request has any of the headers that ``find_request_id`` and
    ``gateway_loop.find_earlier_gateways`` read. Most have none, and this is the fastest way to
    know. Header names are in lower case."""
    return not _READ.isdisjoint(map(_name, headers))


def find_request_id(headers: Headers) -> str | None:
    """The id that the client gave its request: 1 to 128 letters, digits and ``._:+/=@-``, so that
    it can stand in a header and in a line of the log as it is. None if there is no such id."""
    for name, value in headers:
        if name == REQUEST_ID and _ID.fullmatch(value):
            return value.decode()
    return None
