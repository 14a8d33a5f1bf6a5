"""The calls: as a list, as they end, one by one, and by session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import msgspec

from headway.errors import HeadwayError, NotFound, RequestError
from headway.ledger import json_views, queries
from headway.ledger.json_views import call_details, conversation_view, log_line, session_view
from headway.ledger.queries import Query
from headway.ledger.store import Conversation, Filter, LogRow, SessionPage, Store
from headway.ledger.tail import Tail, event_id, read_event_id
from headway.ledger.value_counts import MAX_COUNTED, facets_view
from headway.server.api.ledger_requests import (
    Answer,
    Ledger,
    LedgerRequest,
    answer,
    find_call,
)

EVENTS = b"text/event-stream"
EVENT_HEADERS = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
"""The second keeps nginx from collecting the events."""
MAX_FOLLOWERS = 16
"""Clients of a process that follow the calls at the same time."""
TOO_MANY = 429
POLL_S = 0.5
HEARTBEAT_S = 15.0
"""A comment is sent after a silence of this length, so that proxies keep the connection."""
HEARTBEAT = b": waiting for calls\n\n"
LEFT_OUT = b"event: left_out\ndata: {}\n\n"
"""More calls ended than are sent at once: the reader has to ask for those in between."""


async def logs(ledger: Ledger, request: LedgerRequest) -> Answer:
    """A page of calls, the newest first; or the calls as they end."""
    query = request.read(takes=("limit", "cursor", "follow"))
    if _follows(query, request):
        return _follow(ledger, request, query)
    page = await ledger.reader.ask(
        lambda store: store.logs(query.where, limit=query.limit, cursor=query.cursor)
    )
    rows = [log_line(row) for row in page.rows]
    return answer({"data": rows, "next_cursor": page.next_cursor})


async def facets(ledger: Ledger, request: LedgerRequest) -> Answer:
    """How many of the newest calls have which values."""
    where = request.read().where
    found = await ledger.reader.ask(lambda store: store.count_values(where, limit=MAX_COUNTED))
    return answer(facets_view(found))


async def call(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Everything of one call. Raises NotFound."""
    request.read(filters=())
    found = await find_call(ledger, request.argument, request.owner)
    content = None
    if found.last.content != "off":
        content = await _conversation(ledger, found.id, request.owner)
    return answer(call_details(found, content))


async def sessions(ledger: Ledger, request: LedgerRequest) -> Answer:
    """A page of sessions, the most recent first."""
    query = request.read(takes=("limit", "cursor"))
    page = await ledger.reader.ask(
        lambda store: store.sessions(query.where, limit=query.limit, cursor=query.cursor)
    )
    rows = [session_view(row) for row in page.rows]
    return answer({"data": rows, "next_cursor": page.next_cursor})


async def session(ledger: Ledger, request: LedgerRequest) -> Answer:
    """One session: its sums, its newest calls in the order in which they ended, and the
    conversation of the last one. Raises NotFound."""
    session_id = queries.check_text("id", request.argument)
    query = request.read(takes=("limit", "cursor"), filters=())
    where = Filter(sessions=(session_id,), owner=request.owner)

    async def one(store: Store) -> SessionPage | None:
        page = await store.sessions(where, limit=1)
        return page if page.rows else None

    found = await ledger.reader.find(one)
    if found is None:
        message = f"There is no session {session_id[:80]!r} that this key may see."
        raise NotFound(message, param="id")
    page = await ledger.reader.ask(
        lambda store: store.logs(where, limit=query.limit, cursor=query.cursor)
    )
    history = await ledger.reader.ask(lambda s: s.session_history(session_id, request.owner))
    content = await _conversation(ledger, history[-1], request.owner) if history else None
    reply = {
        "session": session_view(found.rows[0]),
        "data": [log_line(row) for row in reversed(page.rows)],
        "next_cursor": page.next_cursor,
        "conversation": None if content is None else conversation_view(content),
    }
    return answer(reply)


async def _conversation(ledger: Ledger, call_id: str, owner: str | None) -> Conversation | None:
    return await ledger.reader.ask(lambda store: store.conversation(call_id, owner))


# --- Calls as they end ----------------------------------------------------------------------------


def _follows(query: Query, request: LedgerRequest) -> bool:
    if query.follow is not None:
        return query.follow
    accepted = dict(request.headers).get(b"accept", b"").lower()
    return accepted.partition(b",")[0].partition(b";")[0].strip() == EVENTS


def _follow(ledger: Ledger, request: LedgerRequest, query: Query) -> Answer:
    """Raises RequestError."""
    if ledger.followers >= MAX_FOLLOWERS:
        message = f"{MAX_FOLLOWERS} clients follow the calls already; try again later."
        raise RequestError(message, status=TOO_MANY, retry_after_s=HEARTBEAT_S)
    if query.cursor is not None:
        message = "`cursor` is for pages; calls as they end go on with the header last-event-id."
        raise RequestError(message, param="cursor")
    given = any(name == "limit" for name, _ in request.pairs)
    start = query.where.since if query.where.since is not None else request.now
    tail = Tail(query.where, start, _last_event(request))
    rows = query.limit if given else 0

    def events(gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
        return follow(ledger, tail, query.where, rows, gone)

    return Answer(events, EVENTS, EVENT_HEADERS)


def _last_event(request: LedgerRequest) -> tuple[float, str] | None:
    """Where a client that lost its connection goes on. Raises RequestError."""
    given = dict(request.headers).get(b"last-event-id", b"").decode("utf-8", "replace")
    if not given:
        return None
    try:
        return read_event_id(queries.check_text("last-event-id", given))
    except ValueError:
        message = "`last-event-id` must be the id of an event that this route sent."
        raise RequestError(message, param="last-event-id") from None


async def follow(
    ledger: Ledger, tail: Tail, where: Filter, rows: int, gone: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """Server-sent events, until the client has gone or the server shuts down: first the newest
    ``rows`` calls, then each call as it ends. A slow client is waited for, and meanwhile nothing is
    read."""
    ledger.followers += 1
    try:
        yield HEARTBEAT
        if rows:
            page = await ledger.reader.ask(lambda store: store.logs(where, limit=rows))
            tail.skip(page.rows)
            for row in reversed(page.rows):
                yield _event(row)
        async for piece in _poll(ledger, tail, gone):
            yield piece
    except HeadwayError as error:
        yield b"event: error\ndata: %b\n\n" % msgspec.json.encode({"message": error.message})
    finally:
        ledger.followers -= 1


async def _poll(ledger: Ledger, tail: Tail, gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
    clock = ledger.gateway.clock
    silent_since = clock()
    while not (gone.is_set() or ledger.gateway.is_closing):
        found = await ledger.reader.ask(tail.poll)
        for row in found:
            yield _event(row)
        if tail.left_out:
            yield LEFT_OUT
        if found:
            silent_since = clock()
        elif clock() - silent_since >= HEARTBEAT_S:
            silent_since = clock()
            yield HEARTBEAT
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), POLL_S)


def _event(row: LogRow) -> bytes:
    data = json_views.encode(log_line(row))
    return b"id: %b\ndata: %b\n\n" % (event_id(row).encode("utf-8", "replace"), data)
