"""The calls as they end, read from the store again and again."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from headway.ledger.store import MAX_LIMIT, Filter, LogRow, Store

OVERLAP_S = 10.0
"""Workers' records are stored in batches, so a call may be stored after one that ended later."""
MAX_PAGES = 5
"""Pages of one poll: what is more is left out, so that a reader catches up."""
Key = tuple[float, str]
"""When a call ended, and its id."""


class Tail:
    """Each ``poll`` gives the calls that were stored since the last one, the oldest first.

    Which calls were given is remembered for the time of ``OVERLAP_S`` alone."""

    def __init__(self, where: Filter, start: float, after: Key | None = None) -> None:
        """Calls that ended at ``start`` (Unix seconds) or later; with ``after``, those behind that
        one."""
        self._where = where
        self._start = start if after is None else after[0]
        self._after = after
        self._newest = self._start
        self._given: dict[str, float] = {}
        self.left_out = False
        """The last poll had more calls than it could give."""

    def skip(self, rows: Iterable[LogRow]) -> None:
        """Do not give ``rows``: the reader has them."""
        for row in rows:
            self._given[_key(row)[1]] = row.last.timestamp
            self._newest = max(self._newest, row.last.timestamp)

    async def poll(self, store: Store) -> list[LogRow]:
        """Raises StoreError."""
        since = max(self._start, self._newest - OVERLAP_S, self._where.since or 0.0)
        where = replace(self._where, since=since)
        if where.until is not None and where.until <= since:
            return []
        found: list[LogRow] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await store.logs(where, limit=MAX_LIMIT, cursor=cursor)
            found += [row for row in page.rows if self._is_new(row)]
            cursor = page.next_cursor
            if cursor is None:
                break
        self.left_out = cursor is not None
        found.reverse()
        self.skip(found)
        limit = self._newest - 2 * OVERLAP_S
        self._given = {name: at for name, at in self._given.items() if at >= limit}
        return found

    def _is_new(self, row: LogRow) -> bool:
        key = _key(row)
        return key[1] not in self._given and (self._after is None or key > self._after)


def event_id(row: LogRow) -> str:
    """Names a call and when it ended: ``1796040000.25-<id>``."""
    timestamp, call_id = _key(row)
    return f"{timestamp!r}-{call_id}"


def read_event_id(text: str) -> Key:
    """Raises ValueError."""
    timestamp, dash, call_id = text.partition("-")
    seconds = float(timestamp)
    if not dash or not call_id or not 0 <= seconds < 1e11:
        raise ValueError(text)
    return seconds, call_id


def _key(row: LogRow) -> Key:
    return row.last.timestamp, row.last.call_id or row.last.id
