"""Questions about records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.money import join_usd
from headway.ledger.rows import COLUMNS, Texts, decode_key, decode_row
from headway.ledger.store import Call, Filter, LogRow, Page
from headway.ledger.stores.postgresql.feedback import feedback_of
from headway.ledger.stores.postgresql.filters import Conditions, compile_filter
from headway.ledger.stores.postgresql.ids import clean, key_of, unpack_texts
from headway.ledger.stores.postgresql.indexes import step_of_time, time_step
from headway.ledger.stores.postgresql.keys import KeyTexts
from headway.ledger.stores.postgresql.schema import end_of_id, number_of, own_call
from headway.ledger.stores.postgresql.writing import HOUR_US
from headway.record import Feedback, Record

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

WINDOW, MAX_WINDOW = 3000, 8000
"""Newest records that are looked through before an index is used: most questions end there."""
INDEX_WINDOWS = (60_000, 500_000, 4_000_000)
"""Newest records among which an index looks, before it looks among all."""
_WIDTH = len(COLUMNS)
_PROFILE, _TERMS, _COST, _UPSTREAM_ID = map(
    COLUMNS.index, ("profile", "terms", "cost_pd", "upstream_request_id")
)
SELECT = f"""SELECT {", ".join(map(number_of, COLUMNS))},
r.call_pd, r.call_rest, r.id_texts, r.upstream_id,
(SELECT key FROM names n WHERE n.id = r."user"),
(SELECT key FROM tag_sets n WHERE n.id = r.tags),
(SELECT key FROM sessions n WHERE n.id = r.session),
(SELECT key FROM names n WHERE n.id = r.parameters)"""
_WINDOW_START = """
SELECT hour FROM (
  SELECT hour, sum(records) OVER (ORDER BY hour DESC) AS total FROM stored_by_hour
  WHERE hour < $1 / 3600000000 ORDER BY hour DESC LIMIT 100000
) h WHERE total >= $2 ORDER BY hour DESC LIMIT 1
"""
"""The hour from which on there are enough records."""
_OF_CALL = f"{own_call()} = $1 AND {end_of_id(own_call())} = $2"
_HAS_REQUEST_ID = f"r.request_id = $1 AND {end_of_id('r.request_id')} = $2"
NEWEST = "ORDER BY r.time_us DESC, r.id DESC"
OLDEST = "ORDER BY r.time_us, r.id"


class Place(NamedTuple):
    """Of a record, in a cursor."""

    time_us: int
    id: bytes


class Reader:
    """Asks through one connection."""

    select = SELECT
    """The columns of the newest records."""

    def __init__(self, connection: Connection, texts: KeyTexts) -> None:
        self.connection = connection
        self.texts = texts

    async def compile(self, where: Filter, *, of_calls: bool) -> Conditions:
        await self.texts.update(self.connection)
        return await compile_filter(self.connection, where, self.texts, of_calls=of_calls)

    async def fetch(self, sql: str, values: Iterable[Any]) -> list[Any]:
        """The rows of ``SELECT``."""
        rows = list(await self.connection.fetch(sql, *values))
        await self.learn(rows)
        return rows

    async def learn(self, rows: Sequence[Any]) -> None:
        """Know the profiles and terms of rows, also of records that were just stored."""
        await self.learn_numbers([(row[_PROFILE], row[_TERMS]) for row in rows])

    async def learn_numbers(self, rows: Sequence[Any]) -> None:
        """As ``learn``, of rows that begin with both numbers."""
        profiles, terms = self.texts.profiles, self.texts.terms
        if any(row[0] not in profiles or row[1] not in terms for row in rows):
            await self.texts.update(self.connection)

    def decode(self, row: Any) -> Record:
        """The record of a row of ``SELECT``."""
        values = list(row)
        texts_of_ids, upstream_id, user, tags, session, parameters = values[_WIDTH + 2 :]
        id_, request_id, call_id = values[1:4]
        values[1:4] = unpack_texts(texts_of_ids, id_, request_id, call_id or id_)
        if upstream_id is not None:
            values[_UPSTREAM_ID] = upstream_id
        texts = Texts(
            self.texts.profiles[values[4]],
            self.texts.terms[values[5]],
            user,
            None if tags is None else decode_key(tags),
            session,
            parameters,
        )
        return decode_row(values[:_WIDTH], texts)

    # --- Pages ------------------------------------------------------------------------------------

    async def logs(self, where: Filter, limit: int, cursor: str | None) -> Page:
        conditions = await self.compile(where, of_calls=True)
        if cursor is not None:
            _add_place(conditions, "<", decode_cursor(cursor, "logs", Place))
        found = await self.newest(conditions, limit + 1)
        rows = [LogRow(self.decode(row), cost_of_call(row)) for row in found[:limit]]
        following = encode_cursor("logs", _place(found[limit - 1])) if len(found) > limit else None
        return Page(rows, following)

    async def newest(self, conditions: Conditions, count: int) -> list[Any]:
        """The newest records, at most ``count``: by looking through the newest of all, and where
        few of those are meant, by an index of what is meant, over longer and longer times."""
        if conditions.driver is not None and not conditions.driver[1]:
            return []
        window = 0 if conditions.is_by_id else WINDOW
        while 0 < window <= MAX_WINDOW:
            found = await self._in_window(conditions, count, window)
            if len(found) == count:
                return found
            # As many records as it takes if the others are like these; none found: look elsewhere.
            window = max(2 * window, window * count * 3 // (2 * len(found))) if found else 0
        for size in () if conditions.is_by_id else INDEX_WINDOWS:
            start_us = await self._window_start(conditions, size)
            if start_us is None:
                break
            found = await self._by_index(conditions, count, start_us)
            if len(found) == count:
                return found
        if not conditions.is_indexed and conditions.has_many_numbers:
            return await self._by_time(conditions, NEWEST, count)
        return await self._by_index(conditions, count, None)

    async def _window_start(self, conditions: Conditions, size: int) -> int | None:
        """The time from which on there are ``size`` records; None where all that can be meant are
        fewer."""
        hour = await self.connection.fetchval(_WINDOW_START, conditions.before_us, size)
        if hour is None or hour * HOUR_US <= conditions.since_us:
            return None
        return int(hour) * HOUR_US

    async def _by_time(self, conditions: Conditions, order: str, count: int) -> list[Any]:
        """In the order of the primary key, whatever PostgreSQL expects of other ways."""
        inner = f"SELECT * FROM records r WHERE {conditions.text} {order} LIMIT {count}"
        async with self.connection.transaction():
            await self.connection.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
                "SET LOCAL enable_sort = off"
            )
            return await self.fetch(f"{self.select} FROM ({inner}) r {order}", conditions.values)

    async def _by_index(
        self, conditions: Conditions, count: int, start_us: int | None
    ) -> list[Any]:
        """All records that are meant, from ``start_us`` on, by an index; the newest of them. The
        sum keeps PostgreSQL from reading by time until it has found enough, which may be never."""
        chosen = conditions.copy()
        if chosen.driver is not None and (chosen.is_indexed or chosen.driver[0] != "profile"):
            chosen.filter_profiles()
        if start_us is not None:
            chosen.sql.append(f"r.time_us >= {chosen.value(start_us)}")
            if not chosen.is_indexed:
                chosen.sql.append(f"{time_step()} >= {chosen.value(step_of_time(start_us))}")
        inner = (
            f"SELECT * FROM records r WHERE {chosen.text} "
            f"ORDER BY r.time_us + 0 DESC, r.id DESC LIMIT {count}"
        )
        settings = "SET LOCAL enable_seqscan = off"
        if not chosen.is_indexed:  # it would read all of that time to combine two indexes
            settings += "; SET LOCAL enable_bitmapscan = off"
        async with self.connection.transaction():
            await self.connection.execute(settings)
            return await self.fetch(f"{self.select} FROM ({inner}) r {NEWEST}", chosen.values)

    async def _in_window(self, conditions: Conditions, count: int, window: int) -> list[Any]:
        """Of the newest records that are within the limits of time, those that fulfil all."""
        chosen = conditions.copy()
        start = await self.connection.fetchval(_WINDOW_START, conditions.before_us, window)
        if start is not None:
            chosen.sql.append(f"r.time_us >= {chosen.value(start * HOUR_US)}")
        size = chosen.value(window)
        times = " AND ".join(sql for sql in chosen.sql if "r.time_us" in sql) or "true"
        inner = f"SELECT * FROM records r WHERE {times} {NEWEST} LIMIT {size}"
        chosen.filter_profiles()
        outer = f"SELECT * FROM ({inner}) r WHERE {chosen.text} {NEWEST} LIMIT {count}"
        return await self.fetch(f"{self.select} FROM ({outer}) r {NEWEST}", chosen.values)

    async def attempts(
        self, where: Filter, limit: int, cursor: str | None
    ) -> tuple[Sequence[Record], str | None]:
        conditions = await self.compile(where, of_calls=False)
        if cursor is not None:
            _add_place(conditions, ">", decode_cursor(cursor, "attempts", Place))
        found = await self._by_time(conditions, OLDEST, limit + 1)
        following = None
        if len(found) > limit:
            following = encode_cursor("attempts", _place(found[limit - 1]))
        return [self.decode(row) for row in found[:limit]], following

    async def reconcilable(self, where: Filter, limit: int) -> Sequence[Record]:
        conditions = await self.compile(where, of_calls=False)
        conditions.sql.append("r.computed_pd IS NOT NULL AND r.cost_pd IS NOT NULL")
        order = "ORDER BY abs(r.cost_pd - r.computed_pd) DESC, r.time_us DESC, r.id DESC"
        sql = f"{SELECT} FROM records r WHERE {conditions.text} {order} LIMIT {limit}"
        return [self.decode(row) for row in await self.fetch(sql, conditions.values)]

    # --- One call ---------------------------------------------------------------------------------

    async def call(self, call_id: str, owner: str | None) -> Call | None:
        await self.texts.update(self.connection)
        key = key_of(call_id)
        attempts = await self._attempts_of(key, owner)
        if not attempts:
            newest = await self._find_newest("r.reply_id = $1", owner, clean(call_id))
            newest = newest or await self._find_newest(_HAS_REQUEST_ID, owner, key, key[12:])
            if newest is None:
                return None
            key = key_of(newest.call_id)
            attempts = await self._attempts_of(key, owner)
        return Call(tuple(attempts), tuple(await self._feedback_on(key)))

    async def _find_newest(
        self, condition: str, owner: str | None, *values: str | bytes
    ) -> Record | None:
        sql = f"{SELECT} FROM records r WHERE {condition} {NEWEST}"
        found = [self.decode(row) for row in await self.fetch(sql, values)]
        return next((record for record in found if owner in (None, record.key_id)), None)

    async def _attempts_of(self, key: bytes, owner: str | None) -> list[Record]:
        sql = f"{SELECT} FROM records r WHERE {_OF_CALL} {OLDEST}"
        found = [self.decode(row) for row in await self.fetch(sql, (key, key[12:]))]
        attempts = [record for record in found if owner in (None, record.key_id)]
        return sorted(attempts, key=lambda record: (record.is_last, record.attempt))

    async def _feedback_on(self, key: bytes) -> list[Feedback]:
        sql = "SELECT * FROM feedback WHERE call_id = $1 ORDER BY time_us, id"
        return [feedback_of(row) for row in await self.connection.fetch(sql, key)]

    async def scores(self, call_ids: Sequence[str]) -> dict[str, float]:
        known = {key_of(each): each for each in call_ids}
        rows = await self.connection.fetch(
            "SELECT call_id, avg(score) AS score FROM feedback WHERE call_id = ANY($1::bytea[]) "
            "AND score IS NOT NULL GROUP BY call_id",
            list(known),
        )
        return {known[row["call_id"]]: row["score"] for row in rows}

    async def session_history(self, session_id: str, owner: str | None) -> Sequence[str]:
        where = Filter(sessions=(session_id,), outcomes=("ok",), owner=owner)
        conditions = await self.compile(where, of_calls=True)
        sql = (
            "SELECT c.call_text FROM records r "
            f"JOIN contents c ON c.call_id = {own_call()} AND c.mode = 'full' "
            f"WHERE {conditions.text} {OLDEST}"
        )
        return [row["call_text"] for row in await self.connection.fetch(sql, *conditions.values)]


def _add_place(conditions: Conditions, sign: str, place: Place) -> None:
    if sign == "<":
        conditions.before_us = min(conditions.before_us, place.time_us)
    time, id_ = conditions.value(place.time_us), conditions.value(place.id)
    # The first condition says no more than the second, but partitions are chosen by it.
    conditions.sql.append(f"r.time_us {sign}= {time} AND (r.time_us, r.id) {sign} ({time}, {id_})")


def _place(row: Any) -> Place:
    return Place(row["time_us"], row["id"])


def cost_of_call(row: Any) -> Decimal | None:
    """Of a row of ``SELECT``: what all attempts of its call cost."""
    picodollars, rest = row[_WIDTH], row[_WIDTH + 1]
    if picodollars is None:
        picodollars, rest = row[_COST], row[_COST + 1]
    return None if picodollars is None else join_usd(picodollars, rest)
