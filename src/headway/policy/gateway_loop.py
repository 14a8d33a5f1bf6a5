"""Refuse a request that comes back to the gateway that sent it: without this, a provider whose
address is the gateway's own would be called without end.

Each gateway sends an id of its own in ``CDN-Loop`` (RFC 8586) with every request, and passes on the
ids of the gateways that the request came through, so that a loop over several gateways ends too.
``Via`` would say the same (RFC 9110, section 7.6.3), but some servers switch off features where
it is present (RFC 8586, section 1.1). Ids of other kinds of intermediaries are not passed on: a
request to a provider is not the client's request to a CDN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from headway.errors import LoopDetected
from headway.types import Headers

HEADER = "cdn-loop"
HEADER_BYTES = HEADER.encode()
ID_SIZE = 8
"""Bytes of the random part of an id."""
MAX_GATEWAYS = 32
"""Gateways in a row. More are taken for a loop."""

_ID = re.compile(rf"(?<![^\s,])headway-[0-9a-f]{{{2 * ID_SIZE}}}(?![^\s,;])")
CAME_BACK = (
    "This request came back to the gateway that sent it: the address of its provider leads to the"
    " gateway itself. Set the provider's `base_url`."
)
TOO_LONG = f"This request came through more than {MAX_GATEWAYS} gateways; it seems to go in a loop."


def make_id(random_bytes: bytes) -> str:
    """The id of a gateway, a pseudonym in the words of RFC 8586. All its processes have the same.
    ``random_bytes`` are ``ID_SIZE`` bytes."""
    return f"headway-{random_bytes.hex()}"


def find_earlier_gateways(headers: Headers, own_id: str) -> str:
    """The ids of the gateways that a request came through, as a header's value; usually empty.
    Raises LoopDetected if ``own_id`` is one of them. Header names are in lower case."""
    for name, _ in headers:
        if name == HEADER_BYTES:
            return _check(_ids(headers), own_id)
    return ""


def _ids(headers: Headers) -> list[str]:
    """A header may come in several lines, which are one list (RFC 9110, section 5.3)."""
    values = (value.decode("latin-1") for name, value in headers if name == HEADER_BYTES)
    return _ID.findall(", ".join(values))


def _check(ids: Iterable[str], own_id: str) -> str:
    known = list(dict.fromkeys(ids))
    if own_id in known:
        raise LoopDetected(CAME_BACK)
    if len(known) > MAX_GATEWAYS:
        raise LoopDetected(TOO_LONG)
    return ", ".join(known)
