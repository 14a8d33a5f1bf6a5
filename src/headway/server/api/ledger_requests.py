"""A request on a route of the ledger, and its answer: values that the routes take and return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec

from headway.dialects.base import JSON
from headway.errors import NotFound, RequestError
from headway.ledger import call_lookup, queries
from headway.ledger.queries import FILTERS, Pairs, Query
from headway.ledger.store import Call
from headway.pipeline.gateway import Gateway, Snapshot
from headway.policy.keys import KeyId, without_keys
from headway.server.ledger_reader import LedgerReader
from headway.types import Headers

T = TypeVar("T")
MAX_FIELDS = 500
"""Parameters of one query."""
Pieces = Callable[[asyncio.Event], AsyncGenerator[bytes, None]]
"""The pieces of a streamed body. The event is set when the client has disconnected."""


class LedgerRequest(NamedTuple):
    pairs: Pairs
    """The query's names and values, without a key of the gateway."""
    argument: str
    """The parameter in the path."""
    headers: Headers
    body: bytes
    key_id: KeyId
    owner: str | None
    """The key whose records alone it may read; None: all."""
    now: float
    """Unix seconds."""
    method: str = "GET"
    query: str = ""
    """As it was sent."""

    def read(self, takes: Iterable[str] = (), filters: Iterable[str] = FILTERS) -> Query:
        """The query of the request. Raises RequestError."""
        return queries.read(self.pairs, self.now, takes=takes, filters=filters, owner=self.owner)


class Answer(NamedTuple):
    """A reply with status 200."""

    body: bytes | Pieces
    content_type: bytes = JSON
    headers: Headers = ()


class Ledger:
    """What the routes work with."""

    def __init__(self, gateway: Gateway, reader: LedgerReader) -> None:
        self.gateway = gateway
        self.reader = reader
        self.followers = 0
        """Clients that follow the calls as they end."""
        self.posted: tuple[str, float] | None = None
        """Id and clock of the last record that a client of this process sent."""


Handler = Callable[[Ledger, LedgerRequest], Awaitable[Answer]]


def split_query(query: bytes, snapshot: Snapshot) -> Pairs:
    """Raises RequestError."""
    try:
        pairs = parse_qsl(query.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise RequestError(f"The query has more than {MAX_FIELDS} parameters.") from None
    return without_keys(pairs, snapshot.keys)


def answer(value: Any) -> Answer:
    """``value`` as JSON."""
    return Answer(msgspec.json.encode(value))


async def find_call(ledger: Ledger, call_id: str, owner: str | None) -> Call:
    """The call whose reply, or whose client's request, has this id. Waits a moment for a call
    that has just ended. Raises NotFound."""
    checked = queries.check_text("id", call_id)
    found = await ledger.reader.find(
        lambda store: call_lookup.find_call(store, checked, owner), lambda call: call.last.is_last
    )
    if found is None:
        raise NotFound(f"There is no call {call_id[:80]!r} that this key may see.", param="id")
    return found
