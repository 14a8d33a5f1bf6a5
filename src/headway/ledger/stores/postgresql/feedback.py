"""The feedback on replies, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.store import FeedbackFilter, FeedbackPage
from headway.ledger.stores.postgresql.filters import Conditions, limit_us
from headway.ledger.stores.postgresql.ids import clean
from headway.record import Feedback

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection


class Place(NamedTuple):
    """In a cursor."""

    time_us: int
    id: bytes


async def read_feedback(
    connection: Connection, where: FeedbackFilter, limit: int, cursor: str | None
) -> FeedbackPage:
    chosen = Conditions()
    for limit_s, sign in ((where.since, ">="), (where.until, "<")):
        if limit_s is not None:
            chosen.sql.append(f"time_us {sign} {chosen.value(limit_us(limit_s))}")
    if where.labels:
        labels = [clean(label) for label in where.labels]
        chosen.sql.append(f"label = ANY({chosen.value(labels)}::text[])")
    if where.owner is not None:
        chosen.sql.append(f"key_id = {chosen.value(where.owner)}")
    if cursor is not None:
        place = decode_cursor(cursor, "feedback", Place)
        time_us, id_ = map(chosen.value, place)
        chosen.sql.append(f"(time_us, id) < ({time_us}, {id_})")
    sql = (
        f"SELECT * FROM feedback WHERE {chosen.text} "
        f"ORDER BY time_us DESC, id DESC LIMIT {limit + 1}"
    )
    rows = await connection.fetch(sql, *chosen.values)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor("feedback", Place(last["time_us"], last["id"]))
    return FeedbackPage([feedback_of(row) for row in rows[:limit]], following)


def feedback_of(row: Any) -> Feedback:
    return Feedback(
        id=row["id_text"],
        call_id=row["call_text"],
        timestamp=row["time_us"] / 1e6,
        key_id=row["key_id"],
        score=row["score"],
        label=row["label"],
        comment=row["comment"],
    )
