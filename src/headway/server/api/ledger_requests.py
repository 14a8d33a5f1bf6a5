"""A request on a route of the ledger, and its answer: values that the routes take and return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec

from headway.catalog.catalog_cache import CatalogCache
from headway.catalog.key_checks import KeyChecks
from headway.catalog.model_rows import ModelRows
from headway.dialects.base import JSON
from headway.errors import NotFound, RequestError
from headway.ledger import call_lookup, queries
from headway.ledger.queries import FILTERS, MAX_LENGTH, OFF, ON, Pairs, Query
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

    def read_texts(self, *names: str) -> dict[str, str]:
        """The parameters of the query that have a value. Raises RequestError for others than
        ``names``, and for values that nothing can have."""
        given: dict[str, str] = {}
        for name, value in self.pairs:
            if name not in names:
                known = ", ".join(f"`{each}`" for each in names) or "none"
                message = f"There is no parameter `{name[:40]}` here; there are: {known}."
                raise RequestError(message, param=name[:40])
            if len(value) > MAX_LENGTH or not value.isprintable():
                message = f"`{name}` must be a text of at most {MAX_LENGTH} visible characters."
                raise RequestError(message, param=name)
            if value:
                given[name] = value
        return given


class Answer(NamedTuple):
    body: bytes | Pieces
    content_type: bytes = JSON
    headers: Headers = ()
    status: int = 200


class Ledger:
    """What the routes work with."""

    def __init__(self, gateway: Gateway, reader: LedgerReader, catalog: CatalogCache) -> None:
        self.gateway = gateway
        self.reader = reader
        self.catalog = catalog
        self.models = ModelRows(catalog)
        self.key_checks = KeyChecks(gateway)
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


def read_switch(given: Mapping[str, str], name: str) -> bool | None:
    """None where it is not given. Raises RequestError."""
    text = given.get(name)
    if text is None:
        return None
    if text.lower() not in (*ON, *OFF):
        raise RequestError(f"`{name}` must be 1 or 0.", param=name)
    return text.lower() in ON


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
