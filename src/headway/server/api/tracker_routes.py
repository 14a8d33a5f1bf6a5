"""The routes of LLMstudio's tracker, so that its SDK in tracking mode, and what reads its logs,
work with this ledger: a log is a call, and a session the conversation of its calls.

A key sees its own logs, as on all routes of the ledger. What a client sends is kept as
``ledger.content`` says: the texts are null where it is off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import InvalidField, NotFound
from headway.ledger import queries
from headway.ledger.store import MAX_LIMIT, Call, Conversation, Filter
from headway.pipeline.content import Asked, Reply, encode_content
from headway.pipeline.content_rules import clean
from headway.pipeline.gateway import Gateway, Snapshot
from headway.record import Entry, Record, encode
from headway.server.api import tracker_logs
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer
from headway.server.api.tracker_logs import DIALECT, LOG_ROUTE, SESSION_ROUTE, WIRE
from headway.types import Headers

DEFAULT_ROWS = 1000
RECENT_S = 5.0
"""Age from which a log is in the database, or will not be there soon."""
LOOK_UPS = 4
"""Conversations that are read at the same time."""
CSV_HEADERS: Headers = ((b"content-disposition", b"attachment; filename=parameters.csv"),)


# --- Logs -----------------------------------------------------------------------------------------


async def logs(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET``: all logs, the oldest first. ``POST``: add one."""
    if request.method == "POST":
        return await _add_log(ledger, request)
    where = Filter(owner=request.owner)
    return await _list_logs(ledger, request, where)


async def session_logs(ledger: Ledger, request: LedgerRequest) -> Answer:
    """The logs of one session, the oldest first."""
    where = Filter(owner=request.owner, sessions=(_session_id(request),))
    return await _list_logs(ledger, request, where)


async def _add_log(ledger: Ledger, request: LedgerRequest) -> Answer:
    """A log of a reply that this gateway has given is no second record: it only puts the call into
    its session."""
    gateway = ledger.gateway
    log = tracker_logs.read_log(request.body)
    known = None
    if log.reply_id is not None:
        reply_id = log.reply_id
        known = await ledger.reader.find(lambda store: store.call(reply_id, request.owner))
    record_id, now = gateway.new_id(), gateway.unix_time()
    entries: list[Entry | bytes] = []
    if known is not None:
        record = tracker_logs.marker_record(
            LOG_ROUTE, record_id, log.session_id, request.key_id, now
        )
        record.request_id = known.id
    else:
        record = tracker_logs.log_record(log, record_id, request.key_id, now)
        entries += _encode_messages(ledger, record, log.messages, log.output)
    if log.extras:
        entries.append(
            tracker_logs.extras_feedback(
                log.extras, gateway.new_id(), record_id, request.key_id, now
            )
        )
    _append(ledger, [*entries, record])
    return answer(tracker_logs.posted_log_view(log, record))


async def _list_logs(ledger: Ledger, request: LedgerRequest, where: Filter) -> Answer:
    skip, limit = _number(request, "skip", 0), _number(request, "limit", DEFAULT_ROWS)
    await _await_posted(ledger, request.owner)
    records = await _records(ledger, where, skip, limit)
    places = asyncio.Semaphore(LOOK_UPS)

    async def view(record: Record) -> dict[str, Any]:
        async with places:
            return await _view_log(ledger, request.owner, record)

    return answer(list(await asyncio.gather(*map(view, records))))


async def _view_log(ledger: Ledger, owner: str | None, record: Record) -> dict[str, Any]:
    session_id = record.session_id
    feedback = await _feedback(ledger, owner, record) if record.dialect == DIALECT else ()
    if not record.is_last:  # a marker: see ``_add_log``
        call = await ledger.reader.ask(lambda store: store.call(record.request_id, owner))
        if call is not None:
            record = call.last
    content = await _content(ledger, owner, record)
    return tracker_logs.log_view(record, content, feedback, session_id)


async def _records(ledger: Ledger, where: Filter, skip: int, limit: int) -> list[Record]:
    """The records that are logs, the oldest first."""
    found: list[Record] = []
    cursor: str | None = None
    while len(found) < limit:
        page, cursor = await ledger.reader.ask(_page(where, cursor))
        kept = [record for record in page if _is_log(record, by_session=bool(where.sessions))]
        skipped, skip = kept[:skip], max(0, skip - len(kept))
        found += kept[len(skipped) :]
        if cursor is None:
            break
    return found[:limit]


def _page(where: Filter, cursor: str | None) -> Any:
    return lambda store: store.attempts(where, limit=MAX_LIMIT, cursor=cursor)


def _is_log(record: Record, *, by_session: bool) -> bool:
    """A call, or of a session's logs also what stands for one."""
    if record.is_last:
        return True
    is_marker = record.dialect == DIALECT and record.route == LOG_ROUTE
    return by_session and is_marker


# --- Sessions -------------------------------------------------------------------------------------


async def sessions(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Add an entry to a session."""
    gateway = ledger.gateway
    posted = tracker_logs.read_session(request.body)
    record_id, now = gateway.new_id(), gateway.unix_time()
    record = tracker_logs.marker_record(
        SESSION_ROUTE, record_id, posted.session_id, request.key_id, now
    )
    entries = _encode_messages(ledger, record, posted.chat_history or [], [])
    feedback = []
    if posted.extras:
        extras_id = gateway.new_id()
        feedback = [
            tracker_logs.extras_feedback(posted.extras, extras_id, record_id, request.key_id, now)
        ]
    _append(ledger, [*entries, *feedback, record])
    return answer(tracker_logs.session_view(record, posted.chat_history or [], feedback))


async def session(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET``: the entries of a session that clients have added; of a session without any, its
    calls. ``PATCH``: replace the ``extras`` of one entry, by its ``message_id``."""
    if request.method == "PATCH":
        return await _update_session(ledger, request)
    where = Filter(owner=request.owner, sessions=(_session_id(request),))
    await _await_posted(ledger, request.owner)
    records = await _all_records(ledger, where)
    entries = [record for record in records if _is_entry(record)]
    entries = entries or [record for record in records if record.is_last]
    views = [await _view_session(ledger, request.owner, record) for record in entries]
    return answer(views)


async def _update_session(ledger: Ledger, request: LedgerRequest) -> Answer:
    extras = tracker_logs.read_extras(request.body)
    text = request.argument
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise InvalidField("`message_id` must be a whole number.", param="message_id")
    await _await_posted(ledger, request.owner)
    record = await _record_at(ledger, request.owner, int(text))
    if record is None:
        raise NotFound(f"There is no entry {text} of a session.", param="message_id")
    gateway = ledger.gateway
    feedback = tracker_logs.extras_feedback(
        extras, gateway.new_id(), record.call_id, request.key_id, gateway.unix_time()
    )
    _append(ledger, [feedback])
    content = await _content(ledger, request.owner, record)
    return answer(tracker_logs.session_view(record, _history(content), [feedback]))


async def _record_at(ledger: Ledger, owner: str | None, number: int) -> Record | None:
    """The entry of a session with that id."""
    time = number / tracker_logs.MICROSECONDS
    where = Filter(since=time - 0.001, until=time + 0.001, owner=owner)
    found = [
        record
        for record in await _all_records(ledger, where)
        if tracker_logs.log_id(record) == number and (record.is_last or _is_entry(record))
    ]
    return next((each for each in found if _is_entry(each)), found[0] if found else None)


def _is_entry(record: Record) -> bool:
    return record.dialect == DIALECT and record.route == SESSION_ROUTE


async def _view_session(ledger: Ledger, owner: str | None, record: Record) -> dict[str, Any]:
    content = await _content(ledger, owner, record)
    feedback = await _feedback(ledger, owner, record)
    return tracker_logs.session_view(record, _history(content), feedback)


def _history(content: Conversation | None) -> Sequence[Raw]:
    """The messages of an entry, where they are kept."""
    if content is None or content.mode != "full":
        return ()
    return (*content.messages, *content.output)


async def _all_records(ledger: Ledger, where: Filter) -> list[Record]:
    found: list[Record] = []
    cursor: str | None = None
    while True:
        page, cursor = await ledger.reader.ask(_page(where, cursor))
        found += page
        if cursor is None:
            return found


# --- Export ---------------------------------------------------------------------------------------


async def export_rows(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``POST /api/export``: the rows in the body as a table."""
    try:
        rows = msgspec.json.decode(request.body, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidField("The body must be a JSON list of objects.") from None
    table = tracker_logs.semicolon_table(rows).encode()
    return Answer(table, b"text/csv; charset=utf-8", CSV_HEADERS)


# --- Shared ---------------------------------------------------------------------------------------


class _Sender:
    """What ``pipeline.content`` needs of a call."""

    def __init__(self, gateway: Gateway, record: Record) -> None:
        self.gateway = gateway
        self.snapshot: Snapshot = gateway.snapshot
        self.id = record.call_id
        self.key_id = record.key_id
        self.request_id = record.request_id

    def secrets(self) -> list[str]:
        return []


def _encode_messages(
    ledger: Ledger, record: Record, messages: Sequence[Any], output: Sequence[Any]
) -> list[Entry | bytes]:
    """The line of the messages, as the mode of the key says; none where nothing is kept. Raises
    what the operator's hook raises."""
    sender = _Sender(ledger.gateway, record)
    mode = sender.snapshot.content.mode_for(record.key_id)
    if mode == "off" or not (messages or output):
        return []
    asked = Asked(WIRE, clean(Raw(msgspec.json.encode(messages))))
    record.content = mode
    return [encode_content(sender, mode, record.timestamp, asked, Reply(output))]


def _append(ledger: Ledger, entries: Sequence[Entry | bytes]) -> None:
    """Write to the spool, and remember the last record."""
    for entry in entries:
        line = entry if isinstance(entry, bytes) else encode(entry)
        ledger.gateway.spool.append(line)
        if isinstance(entry, Record):
            ledger.posted = (entry.call_id, ledger.gateway.clock())


async def _await_posted(ledger: Ledger, owner: str | None) -> None:
    """Wait for what this process has just written to reach the database: clients read their own
    logs at once."""
    posted = ledger.posted
    if posted is None or ledger.gateway.clock() - posted[1] > RECENT_S:
        return
    await ledger.reader.find(lambda store: store.call(posted[0]))
    if ledger.posted == posted:
        ledger.posted = None


async def _content(ledger: Ledger, owner: str | None, record: Record) -> Conversation | None:
    if record.content == "off":
        return None
    return await ledger.reader.ask(
        lambda store: store.conversation(record.call_id or record.id, owner)
    )


async def _feedback(ledger: Ledger, owner: str | None, record: Record) -> Sequence[Any]:
    call_id = record.call_id or record.id
    call: Call | None = await ledger.reader.ask(lambda store: store.call(call_id, owner))
    return () if call is None else call.feedback


def _session_id(request: LedgerRequest) -> str:
    return queries.check_text("session_id", request.argument)


def _number(request: LedgerRequest, name: str, default: int) -> int:
    """A parameter of the query. Raises InvalidField."""
    text = next((value for key, value in reversed(request.pairs) if key == name), None)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidField(f"`{name}` must be a whole number from 0.", param=name)
    return int(text)
