"""What a database of records does, and the values that questions and answers are made of.

A row of the logs is a *call*: the record of its last attempt. Costs and tokens of a call are those
of all its attempts. Times are Unix seconds, amounts US dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Raw, Struct

from headway.metering.histogram import Histogram
from headway.record import ContentMode, Entry, Feedback, Record

Dimension = Literal[
    "provider", "model", "deployment", "key", "user", "tag", "session", "dialect", "outcome",
    "route", "cache",
    "minute", "five_minutes", "hour", "day", "month",
]  # fmt: skip
"""What usage is grouped by. ``route`` is the configured route. Times are in UTC. A call with
several tags counts in each tag."""
TIME_DIMENSIONS = ("minute", "five_minutes", "hour", "day", "month")
FINE_TIMES = ("minute", "five_minutes")
"""Times of which there are no sums: their usage is added up from the records."""
HISTOGRAM_METRICS = (
    "latency_s",
    "time_to_first_token_s",
    "time_to_first_byte_s",
    "inter_token_latency_s",
    "tokens_per_second",
    "gateway_overhead_s",
    "cost_usd",
)
"""The metrics that usage has a histogram of, with one value a call."""
DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
"""Rows of a page."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which calls are meant. Several values of one field: any of them; several fields: all."""

    since: float | None = None
    """Calls that ended at this time or later."""
    until: float | None = None
    """Calls that ended before this time."""
    ids: tuple[str, ...] = ()
    """Ids of calls, of replies where they are the provider's, or of the clients' requests."""
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Requested or served."""
    dialects: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Key ids."""
    owner: str | None = None
    """Only what this key id may see: its own calls. None may see all."""
    sessions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()
    """Ranges of HTTP statuses, both ends included."""
    routes: tuple[str, ...] = ()
    """Names of configured routes."""
    roles: tuple[str, ...] = ()
    """Why the attempt was made. Copies (``shadow``) are no calls of clients, and are listed among
    the calls only where they are asked for."""
    caches: tuple[str, ...] = ()
    """What the cache did."""
    min_cost_usd: Decimal | None = None
    max_cost_usd: Decimal | None = None
    min_latency_s: float | None = None
    max_latency_s: float | None = None
    text: str | None = None
    """Words that the messages, or the error, contain; upper and lower case are the same."""


class Call(Struct, frozen=True):
    """A call: its attempts, in order, and what has been said of it."""

    attempts: tuple[Record, ...]
    feedback: tuple[Feedback, ...] = ()

    @property
    def last(self) -> Record:
        return self.attempts[-1]

    @property
    def id(self) -> str:
        return self.last.call_id or self.last.id


class LogRow(Struct, frozen=True):
    """One line of the logs."""

    last: Record
    """The record of the last attempt."""
    cost_usd: Decimal | None
    """Of all attempts; None where none of them has a known cost."""


class Page(Struct, frozen=True):
    """Rows, the newest first."""

    rows: Sequence[LogRow]
    next_cursor: str | None = None
    """Where the next page begins; None after the last one."""


class Usage(Struct, kw_only=True):
    """Sums over the calls of one group."""

    group: Mapping[str, str | None]
    """Dimension -> its value, such as ``{"model": "gpt-4.1", "day": "2026-11-29"}``."""
    calls: int = 0
    attempts: int = 0
    failed: int = 0
    """Calls that did not end with ``ok``."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    """What the answers from the cache would have cost without it."""
    unpriced: int = 0
    """Attempts that reached a provider's successful response and have no known cost."""
    estimated_usd: Decimal = Decimal(0)
    """The part of ``cost_usd`` that rests on estimated or counted tokens."""
    histograms: Mapping[str, Histogram] = {}
    """Metric -> the distribution over the calls; see ``HISTOGRAM_METRICS``."""
    gaps: Histogram | None = None
    """The gaps between content events of all calls, in seconds."""


class FeedbackFilter(Struct, frozen=True, kw_only=True):
    """Which feedback is meant."""

    since: float | None = None
    until: float | None = None
    labels: tuple[str, ...] = ()
    """Any of them."""
    owner: str | None = None
    """Only what this key id gave."""


class FeedbackPage(Struct, frozen=True):
    """The newest first."""

    rows: Sequence[Feedback]
    next_cursor: str | None = None


class ValueCounts(Struct, frozen=True, kw_only=True):
    """How many of the newest calls have which values."""

    calls: int
    """That were counted."""
    is_all: bool
    """There are no others."""
    since: float | None
    """When the earliest of them ended."""
    counts: Mapping[str, Mapping[str | None, int]]
    """Filter -> value -> calls."""


class Session(Struct, frozen=True):
    """The calls with one session id."""

    id: str
    calls: int
    failed: int
    started: float
    ended: float
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    models: tuple[str, ...]
    key_id: str | None = None
    user: str | None = None


class SessionPage(Struct, frozen=True):
    rows: Sequence[Session]
    next_cursor: str | None = None


class Conversation(Struct, frozen=True):
    """The content of a call, put together again."""

    call_id: str
    wire: str
    mode: ContentMode
    messages: tuple[Raw, ...]
    """Those of the request; with ``mode: hash`` the hashes as JSON texts."""
    output: tuple[Raw, ...]
    """Those of the reply."""
    parameters: Mapping[str, Raw]
    response: Raw
    key_id: str | None = None


class StoredReply(Struct, frozen=True):
    """A reply that a client had stored, without the messages of its request."""

    call_id: str
    parameters: Mapping[str, Raw]
    response: Raw


class Position(Struct, frozen=True):
    """How far a spool file has been read."""

    file: str
    """The name of the spool file, which is unique."""
    offset: int
    """Bytes that are stored."""


class Deleted(Struct, frozen=True):
    """What ``Store.prune`` removed."""

    records: int
    contents: int
    bytes_freed: int


class StoreFacts(Struct, frozen=True):
    """What ``headway db`` shows."""

    kind: str
    """``sqlite`` or ``postgresql``."""
    place: str
    """The path, or the address without a password."""
    version: int
    """Of the schema."""
    records: int
    calls: int
    messages: int
    bytes: int
    """On disk."""
    oldest: float | None
    newest: float | None


class StoreError(Exception):
    """The database cannot be used now; the message says why and what to do."""


class WrongCursorError(ValueError):
    """The cursor is none that this store gave out."""


class Store(Protocol):
    """All methods raise StoreError where the database cannot be used."""

    async def open(self, *, migrates: bool = True) -> None:
        """Connect; create the schema or bring it up to date. Without ``migrates`` raises StoreError
        for a schema of another version, and creates nothing."""

    async def close(self) -> None:
        """Idempotent."""

    # --- Writing: by one process at a time for SQLite, by several for PostgreSQL ---

    async def add(self, entries: Iterable[Entry], positions: Sequence[Position] = ()) -> int:
        """Store ``entries`` and ``positions`` in one transaction; returns the number of new
        records. What was stored before is ignored, by its id. Where ``entries`` raise while they
        are read, nothing is stored, and their exception is raised."""

    async def positions(self) -> Mapping[str, int]:
        """Spool file -> the offset up to which it is stored."""

    async def forget_positions(self, files: Sequence[str]) -> None:
        """Of files that are deleted."""

    async def prune(self, records_before: float | None, content_before: float | None) -> Deleted:
        """Delete what ended before these times, and give the space back to the disk. Usage stays
        in the hourly sums."""

    async def maintain(self, now: float) -> None:
        """Do what the database needs now and then, such as merging sums and building indexes;
        ``now`` is Unix seconds. Beside the traffic, and by one process at a time."""

    def exclusively(self, task: str) -> AbstractAsyncContextManager[bool]:
        """Whether ``task`` is this process's alone until the end of the context, among all that
        share the database."""

    async def delete_content(self, call_id: str, owner: str | None = None) -> bool:
        """Forget the content of one call, and its aliases. Returns whether there was any."""

    async def set_parameter(
        self, call_id: str, name: str, value: Raw | None, owner: str | None = None
    ) -> bool:
        """Replace one of the parameters that are kept of a call; None removes it. Returns whether
        the call's content is kept."""

    # --- Reading ---

    async def logs(
        self, where: Filter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page:
        """The calls, the newest first. Raises WrongCursorError."""

    async def attempts(
        self, where: Filter, *, limit: int = MAX_LIMIT, cursor: str | None = None
    ) -> tuple[Sequence[Record], str | None]:
        """All records of attempts, the oldest first, and the next cursor: for exports. Raises
        WrongCursorError."""

    async def call(self, call_id: str, owner: str | None = None) -> Call | None:
        """By the call's id, or the newest with this ``reply_id`` or request id."""

    async def scores(self, call_ids: Sequence[str]) -> Mapping[str, float]:
        """Call -> the mean of the scores that were given to its reply, of those that have any."""

    async def feedback(
        self, where: FeedbackFilter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> FeedbackPage:
        """Raises WrongCursorError."""

    async def conversation(self, call_id: str, owner: str | None = None) -> Conversation | None:
        """The content of a call, by its id or one of its content's ``aliases`` (the newest of
        several); None where none is kept."""

    async def stored_replies(
        self,
        wire: str,
        owner: str | None = None,
        *,
        after: str | None = None,
        newest_first: bool = False,
        limit: int = DEFAULT_LIMIT,
    ) -> Sequence[StoredReply]:
        """The replies to requests of one wire format that clients had stored, in the order of their
        times: those that follow the call ``after``."""

    async def usage(
        self,
        where: Filter,
        by: Sequence[Dimension] = (),
        *,
        metrics: Sequence[str] = HISTOGRAM_METRICS,
    ) -> Sequence[Usage]:
        """Sums, and histograms of ``metrics``, by group; ordered by time, then by cost, the
        highest first. ``text``, ``ids``, and the limits of cost and latency need the records
        themselves, as do times within an hour; everything else comes from the hourly sums."""

    async def count_values(self, where: Filter, *, limit: int) -> ValueCounts:
        """Of the newest ``limit`` calls, by what ``value_counts`` names."""

    async def sessions(
        self, where: Filter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> SessionPage:
        """The most recent first. Raises WrongCursorError."""

    async def session_history(self, session_id: str, owner: str | None = None) -> Sequence[str]:
        """The ids of the calls of a session that ended well and whose content is kept, the oldest
        first."""

    async def reconcilable(self, where: Filter, *, limit: int = DEFAULT_LIMIT) -> Sequence[Record]:
        """Records with both the provider's own cost and a computed one, the largest difference
        first."""

    async def records_by_hour(self, since: float | None) -> Mapping[int, int]:
        """Hours since 1970 in UTC, from that of ``since`` on -> the number of their records."""

    async def describe(self) -> StoreFacts: ...

    async def check(self) -> Sequence[str]:
        """What is wrong with the data, one line each; empty if nothing is."""
