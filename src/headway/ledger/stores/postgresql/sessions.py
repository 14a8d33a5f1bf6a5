"""Sessions: the most recent first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.money import join_usd, sum_usd
from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Filter, Session, SessionPage
from headway.ledger.stores.postgresql.filters import LARGEST, Conditions
from headway.ledger.stores.postgresql.reading import Reader
from headway.ledger.stores.postgresql.schema import number_of

CHUNK = 200
"""Sessions that are looked at together."""
_MODEL, _OUTCOME, _KEY, _IS_LAST = map(
    PROFILE_FIELDS.index, ("model", "outcome", "key_id", "is_last")
)


class Place(NamedTuple):
    """Of a session, in a cursor."""

    ended_us: int
    number: int


_NUMBERS = ", ".join(
    f"{number_of(name)} AS {name}" for name in ("duration_us", "input_tokens", "output_tokens")
)
_CHUNK = """
SELECT id, ended_us FROM sessions WHERE (ended_us, id) < ($1, $2)
ORDER BY ended_us DESC, id DESC LIMIT $3
"""


async def read_sessions(
    reader: Reader, where: Filter, limit: int, cursor: str | None
) -> SessionPage:
    """A session may end later than the last of its records that ``where`` means. So sessions are
    read by their end, until no further one can belong on the page."""
    conditions = await reader.compile(where, of_calls=False)
    after = None if cursor is None else decode_cursor(cursor, "sessions", Place)
    found: list[Place] = []
    place = Place(LARGEST, LARGEST)
    if after is not None and where == Filter(owner=where.owner):
        place = Place(after.ended_us, LARGEST)  # nothing that ended later can be on a later page
    while True:
        chunk = await reader.connection.fetch(_CHUNK, *place, CHUNK)
        if not chunk:
            break
        place = Place(chunk[-1]["ended_us"], chunk[-1]["id"])
        ends = await _ends(reader, conditions, [row["id"] for row in chunk])
        found += [end for end in ends if after is None or end < after]
        found.sort(reverse=True)
        if len(found) > limit and found[limit].ended_us > place.ended_us:
            break
    rows = await _read(reader, conditions, [number for _, number in found[:limit]])
    following = encode_cursor("sessions", found[limit - 1]) if len(found) > limit else None
    return SessionPage(rows, following)


async def _ends(reader: Reader, conditions: Conditions, numbers: Sequence[int]) -> list[Place]:
    chosen = conditions.copy()
    placeholder = chosen.value(list(numbers))
    sql = (
        "SELECT r.session, max(r.time_us) AS ended FROM records r "
        f"WHERE r.session = ANY({placeholder}::bigint[]) AND {chosen.text} GROUP BY r.session"
    )
    rows = await reader.connection.fetch(sql, *chosen.values)
    return [Place(row["ended"], row["session"]) for row in rows]


async def _read(reader: Reader, conditions: Conditions, numbers: Sequence[int]) -> list[Session]:
    chosen = conditions.copy()
    placeholder = chosen.value(list(numbers))
    sql = (
        f"SELECT r.session, r.profile, r.time_us, {_NUMBERS}, "
        'r.cost_pd, r.cost_rest, (SELECT key FROM names n WHERE n.id = r."user") AS user_key '
        f"FROM records r WHERE r.session = ANY({placeholder}::bigint[]) AND {chosen.text} "
        "ORDER BY r.time_us, r.id"
    )
    rows: dict[int, list[Any]] = {number: [] for number in numbers}
    for row in await reader.connection.fetch(sql, *chosen.values):
        rows[row["session"]].append(row)
    names = await reader.connection.fetch(
        "SELECT id, key FROM sessions WHERE id = ANY($1::bigint[])", list(numbers)
    )
    await reader.texts.update(reader.connection)
    keys = {row["id"]: row["key"] for row in names}
    return [_session(reader, keys[number], found) for number, found in rows.items() if found]


def _session(reader: Reader, id_: str, rows: Sequence[Any]) -> Session:
    profiles = [reader.texts.profiles[row["profile"]] for row in rows]
    costs: list[Decimal] = [
        join_usd(row["cost_pd"], row["cost_rest"]) for row in rows if row["cost_pd"] is not None
    ]
    last = rows[-1]
    return Session(
        id=id_,
        calls=sum(profile[_IS_LAST] for profile in profiles),
        failed=sum(profile[_IS_LAST] and profile[_OUTCOME] != "ok" for profile in profiles),
        started=min(row["time_us"] - row["duration_us"] for row in rows) / 1e6,
        ended=last["time_us"] / 1e6,
        input_tokens=sum(row["input_tokens"] or 0 for row in rows),
        output_tokens=sum(row["output_tokens"] or 0 for row in rows),
        cost_usd=sum_usd(costs) if costs else None,
        models=tuple(dict.fromkeys(profile[_MODEL] for profile in profiles if profile[_MODEL])),
        key_id=profiles[-1][_KEY],
        user=last["user_key"],
    )
