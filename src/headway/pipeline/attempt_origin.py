"""How an attempt of a routed call came about: for its record, and the headers of its response."""

from __future__ import annotations

from msgspec import Struct

from headway.record import AttemptRole
from headway.types import Headers

SERVED_BY, ROUTE, HEDGED = b"x-headway-served-by", b"x-headway-route", b"x-headway-hedged"


class AttemptOrigin(Struct, gc=False):
    number: int
    """Among the attempts of its call, from 1."""
    role: AttemptRole
    target_id: str
    """``RouteTarget.id``."""
    route_name: str | None = None
    """None for a call of one model."""
    provider_key: str | None = None
    """The name of one of several keys."""
    decision: str | None = None
    """As in ``Record``."""
    upstream_request_bytes: int | None = None
    is_hedged: bool = False
    """Another attempt ran beside it."""

    def headers(self) -> Headers:
        """Of the response to the client."""
        if self.route_name is None:
            return ()
        named = [
            (SERVED_BY, self.target_id.encode()),
            (ROUTE, self.route_name.encode()),
        ]
        return [*named, (HEDGED, b"1")] if self.is_hedged else named
