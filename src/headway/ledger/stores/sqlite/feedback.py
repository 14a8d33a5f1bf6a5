"""The feedback on replies, the newest first."""

from __future__ import annotations

from typing import Any, NamedTuple

import apsw

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.ids import pack_id, unpack_id
from headway.ledger.store import FeedbackFilter, FeedbackPage
from headway.ledger.stores.sqlite.sql import all_rows, encode_list
from headway.record import Feedback


class Place(NamedTuple):
    """In a cursor."""

    time_us: int
    id: str


def read_feedback(
    db: apsw.Connection, where: FeedbackFilter, limit: int, cursor: str | None
) -> FeedbackPage:
    """There are few: the database looks at all of them."""
    conditions, values = ["1"], list[Any]()
    for limit_s, sign in ((where.since, ">="), (where.until, "<")):
        if limit_s is not None:
            conditions.append(f"time_us {sign} ?")
            values.append(round(limit_s * 1e6))
    if where.labels:
        conditions.append("label IN (SELECT value FROM json_each(?))")
        values.append(encode_list(where.labels))
    if where.owner is not None:
        conditions.append("key_id = ?")
        values.append(where.owner)
    if cursor is not None:
        conditions.append("(time_us, id) < (?, ?)")
        place = decode_cursor(cursor, "feedback", Place)
        values += place.time_us, pack_id(place.id)
    sql = (
        f"SELECT * FROM feedback WHERE {' AND '.join(conditions)} "
        "ORDER BY time_us DESC, id DESC LIMIT ?"
    )
    rows = all_rows(db, sql, (*values, limit + 1))
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor("feedback", Place(last[2], unpack_id(last[0])))
    return FeedbackPage([feedback_of(row) for row in rows[:limit]], following)


def feedback_of(row: tuple[Any, ...]) -> Feedback:
    id_, call_id, time_us, key_id, score, label, comment = row
    return Feedback(
        id=unpack_id(id_), call_id=unpack_id(call_id), timestamp=time_us / 1e6,
        key_id=key_id, score=score, label=label, comment=comment,
    )  # fmt: skip
