"""Which headers of a client's request the gateway reads for itself, and the id of the request."""

from __future__ import annotations

import re
from operator import itemgetter

from headway.policy import gateway_loop
from headway.policy.cache_key import TTL, select_cache_headers
from headway.policy.keys import find_digests
from headway.policy.request_labels import LABEL_HEADERS
from headway.policy.routing_headers import ROUTING_HEADERS, find_read_timeout
from headway.policy.session_headers import SESSION_HEADERS
from headway.types import Headers, HeadFacts

REQUEST_ID = b"x-request-id"
METRICS = b"x-headway-metrics"
"""Asks for the metrics of the response."""
OFF = (b"", b"0", b"false")
"""Values of a header that asks for something, which ask for nothing."""
_READ = frozenset(
    {
        REQUEST_ID,
        METRICS,
        TTL,
        gateway_loop.HEADER_BYTES,
        *SESSION_HEADERS,
        *LABEL_HEADERS,
        *ROUTING_HEADERS,
    }
)
OWN_REQUEST_ID = b"x-headway-request-id"
"""The header of the gateway's own id in a response whose ``x-request-id`` is the provider's."""
_ID = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}")
_name = itemgetter(0)


def read_facts(headers: Headers, query: str) -> HeadFacts:
    """Header names are in lower case."""
    return HeadFacts(
        select_own_headers(headers),
        find_digests(headers, query),
        select_cache_headers(headers),
        find_read_timeout(headers),
    )


def select_own_headers(headers: Headers) -> Headers:
    """The headers of a request that ``find_request_id``, ``asks_for_metrics``,
    ``cache_key.names_ttl``, ``gateway_loop.find_earlier_gateways``,
    ``session_headers.find_session_id``, ``request_labels`` and ``routing_headers`` read. Most
    requests have none, and this is the fastest way to know. Header names are in lower case."""
    if _READ.isdisjoint(map(_name, headers)):
        return ()
    return [header for header in headers if header[0] in _READ]


def find_request_id(headers: Headers) -> str | None:
    """The id that the client gave its request: 1 to 128 letters, digits and ``._:+/=@-``, so that
    it can stand in a header and in a line of the log as it is. None if there is no such id."""
    for name, value in headers:
        if name == REQUEST_ID and _ID.fullmatch(value):
            return value.decode()
    return None


def asks_for_metrics(headers: Headers) -> bool:
    return any(name == METRICS and value.strip() not in OFF for name, value in headers)
