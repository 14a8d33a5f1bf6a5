"""Questions about records. Everything here runs within a transaction that reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any

import apsw

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.ids import pack_id, unpack_id
from headway.ledger.money import join_usd, sum_usd
from headway.ledger.rows import COLUMNS, decode_row, ends_call
from headway.ledger.store import Call, Filter, LogRow, Page, Session, SessionPage
from headway.ledger.stores.sqlite.facets import RECONCILABLE, id_token
from headway.ledger.stores.sqlite.feedback import feedback_of
from headway.ledger.stores.sqlite.filters import (
    NEVER,
    RECORDS,
    RECORDS_BY_FACETS,
    Conditions,
    compile_filter,
)
from headway.ledger.stores.sqlite.keys import KEY_TEXTS, KeyTexts
from headway.ledger.stores.sqlite.numbers import SLACK, limit_number, number_of, time_of
from headway.ledger.stores.sqlite.paging import find_newest
from headway.ledger.stores.sqlite.sql import all_rows, each_row, encode_list, first_value
from headway.ledger.stores.sqlite.writing import CALL_IS
from headway.record import Feedback, Record

_COLUMNS = ", ".join(f"r.{name}" for name in ("n", *COLUMNS[1:]))
SELECT_FROM = f"SELECT {_COLUMNS}, r.call_pd, r.call_rest, {KEY_TEXTS} FROM"
FEW = 3000
"""Records whose sessions are found by looking at all of them."""
_WIDTH = len(COLUMNS)


class Reader:
    """One connection's view of the records."""

    def __init__(self, db: apsw.Connection, texts: KeyTexts) -> None:
        self.db = db
        self.texts = texts
        texts.update(db)

    def compile(self, where: Filter, *, of_calls: bool) -> Conditions:
        return compile_filter(self.db, where, self.texts, of_calls=of_calls)

    def decode(self, row: Sequence[Any]) -> Record:
        """The record of a row of ``SELECT_FROM``."""
        values = (time_of(row[0]), *row[1:_WIDTH])
        return decode_row(values, self.texts.texts_of(row[_WIDTH + 2 :]))

    def select(self, source: str, rest: str, values: Sequence[Any]) -> Iterator[Record]:
        for row in self.db.execute(f"{SELECT_FROM} {source} {rest}", tuple(values)):
            yield self.decode(row)

    def logs(self, where: Filter, limit: int, cursor: str | None) -> Page:
        conditions = self.compile(where, of_calls=True)
        before = None if cursor is None else decode_cursor(cursor, "logs", int)
        numbers = encode_list(find_newest(self.db, conditions, limit + 1, before))
        chosen = "r.n IN (SELECT value FROM json_each(?)) ORDER BY r.n DESC"
        found = all_rows(self.db, f"{SELECT_FROM} {RECORDS} WHERE {chosen}", (numbers,))
        rows = [LogRow(self.decode(row), cost_of_call(row)) for row in found[:limit]]
        following = encode_cursor("logs", found[limit - 1][0]) if len(found) > limit else None
        return Page(rows, following)

    def attempts(
        self, where: Filter, limit: int, cursor: str | None
    ) -> tuple[Sequence[Record], str | None]:
        conditions = self.compile(where, of_calls=False)
        if cursor is not None:
            number = decode_cursor(cursor, "attempts", int)
            conditions.add(f"{conditions.number} > ?", number)
        sql = (
            f"{SELECT_FROM} {conditions.source} WHERE {conditions.text} "
            f"ORDER BY {conditions.number} LIMIT ?"
        )
        found = all_rows(self.db, sql, (*conditions.values, limit + 1))
        following = encode_cursor("attempts", found[limit - 1][0]) if len(found) > limit else None
        return [self.decode(row) for row in found[:limit]], following

    def call(self, call_id: str, owner: str | None) -> Call | None:
        packed = pack_id(call_id)
        attempts = self._attempts_of(packed, owner)
        if not attempts:
            newest = self._newest(packed, "reply_id", owner)
            newest = newest or self._newest(packed, "request_id", owner)
            if newest is None:
                return None
            packed = pack_id(newest.call_id)
            attempts = self._attempts_of(packed, owner)
        return Call(tuple(attempts), tuple(self._feedback_on(packed)))

    def _newest(self, packed: bytes | str, column: str, owner: str | None) -> Record | None:
        """The newest record with this id."""
        rest = f"WHERE facets MATCH ? AND r.{column} = ? ORDER BY facets.rowid DESC"
        rows = self.select(RECORDS_BY_FACETS, rest, (id_token(packed), packed))
        return next((row for row in rows if owner in (None, row.key_id)), None)

    def _attempts_of(self, packed: bytes | str, owner: str | None) -> list[Record]:
        rest = f"WHERE {CALL_IS} ORDER BY facets.rowid"
        found = self.select(RECORDS_BY_FACETS, rest, (id_token(packed), packed))
        attempts = [record for record in found if owner in (None, record.key_id)]
        return sorted(attempts, key=lambda record: (record.is_last, record.attempt))

    def _feedback_on(self, packed: bytes | str) -> Iterator[Feedback]:
        sql = "SELECT * FROM feedback WHERE call_id = ? ORDER BY time_us, id"
        return map(feedback_of, self.db.execute(sql, (packed,)))

    def scores(self, call_ids: Sequence[str]) -> dict[str, float]:
        known = {pack_id(each): each for each in call_ids}
        marks = ", ".join("?" * len(known))
        rows = all_rows(
            self.db,
            f"SELECT call_id, avg(score) FROM feedback WHERE call_id IN ({marks}) "
            "AND score IS NOT NULL GROUP BY call_id",
            tuple(known),
        )
        return {known[packed]: score for packed, score in rows}

    def reconcilable(self, where: Filter, limit: int) -> Sequence[Record]:
        conditions = self.compile(where, of_calls=False)
        order = "abs(r.cost_pd - r.computed_pd) DESC, r.n DESC"
        rest = f"WHERE facets MATCH ? AND {conditions.text} ORDER BY {order} LIMIT ?"
        return list(self.select(RECORDS_BY_FACETS, rest, (RECONCILABLE, *conditions.values, limit)))

    # --- Sessions ---------------------------------------------------------------------------------

    def sessions(self, where: Filter, limit: int, cursor: str | None) -> SessionPage:
        conditions = self.compile(where, of_calls=False)
        before = None if cursor is None else decode_cursor(cursor, "sessions", int)
        if self._are_few(conditions):
            found = all_rows(
                self.db,
                f"SELECT max(r.n), r.session FROM {conditions.source} WHERE {conditions.text} "
                "AND r.session IS NOT NULL "
                "GROUP BY r.session HAVING ? IS NULL OR max(r.n) < ? ORDER BY 1 DESC LIMIT ?",
                (*conditions.values, before, before, limit + 1),
            )
        else:
            found = self._walk_sessions(where.since, conditions, limit + 1, before)
        rows = [self._session(session, conditions) for _, session in found[:limit]]
        following = encode_cursor("sessions", found[limit - 1][0]) if len(found) > limit else None
        return SessionPage(rows, following)

    def _are_few(self, conditions: Conditions) -> bool:
        if conditions.match is None:
            return conditions.is_narrow or NEVER in conditions.sql
        matching = "SELECT count(*) FROM (SELECT 1 FROM facets WHERE facets MATCH ? LIMIT ?)"
        return bool(first_value(self.db, matching, (conditions.match, FEW + 1)) <= FEW)

    def _walk_sessions(
        self, since: float | None, conditions: Conditions, limit: int, before: int | None
    ) -> list[tuple[int, int]]:
        """The last record that fulfils the conditions, and the session: the newest first. Goes
        through the sessions in the order of their ends, which are not before that record."""
        newest = (
            f"SELECT r.n FROM {RECORDS_BY_FACETS} WHERE facets MATCH ? AND r.session = ? "
            f"AND {conditions.text} ORDER BY facets.rowid DESC LIMIT 1"
        )
        first = None if since is None else limit_number(since)
        found: list[tuple[int, int]] = []
        for session, ended_us in each_row(
            self.db, "SELECT id, ended_us FROM sessions ORDER BY ended_us DESC"
        ):
            end = number_of(ended_us) + SLACK
            if first is not None and end < first:
                break
            if len(found) >= limit and end < found[0][0]:
                break
            number = first_value(self.db, newest, (f"s{session}", session, *conditions.values))
            if number is not None and (before is None or number < before):
                heappush(found, (number, session))
                if len(found) > limit:
                    heappop(found)
        return sorted(found, reverse=True)

    def _session(self, session: int, conditions: Conditions) -> Session:
        rest = f"WHERE facets MATCH ? AND r.session = ? AND {conditions.text} ORDER BY facets.rowid"
        values = f"s{session}", session, *conditions.values
        records = list(self.select(RECORDS_BY_FACETS, rest, values))
        last = records[-1]
        costs = [Decimal(each.cost_usd) for each in records if each.cost_usd is not None]
        return Session(
            id=last.session_id or "",
            calls=sum(map(ends_call, records)),
            failed=sum(ends_call(each) and each.outcome != "ok" for each in records),
            started=min(each.started for each in records),
            ended=last.timestamp,
            input_tokens=sum(each.input_tokens or 0 for each in records),
            output_tokens=sum(each.output_tokens or 0 for each in records),
            cost_usd=sum_usd(costs) if costs else None,
            models=tuple(dict.fromkeys(each.model for each in records if each.model)),
            key_id=last.key_id,
            user=last.user,
        )

    def session_history(self, session_id: str, owner: str | None) -> Sequence[str]:
        where = Filter(sessions=(session_id,), outcomes=("ok",), owner=owner)
        conditions = self.compile(where, of_calls=True)
        calls = all_rows(
            self.db,
            f"SELECT c.call_id FROM {conditions.source} CROSS JOIN contents AS c "
            "ON c.call_id = ifnull(r.call_id, r.id) AND c.mode = 'full' "
            f"WHERE {conditions.text} ORDER BY {conditions.number}",
            conditions.values,
        )
        return [unpack_id(call) for (call,) in calls]


def cost_of_call(row: Sequence[Any]) -> Decimal | None:
    """Of a row of ``SELECT_FROM``: what all attempts of its call cost."""
    picodollars, rest = row[_WIDTH : _WIDTH + 2]
    if picodollars is None:
        picodollars, rest = row[_COST : _COST + 2]
    return None if picodollars is None else join_usd(picodollars, rest)


_COST = COLUMNS.index("cost_pd")
