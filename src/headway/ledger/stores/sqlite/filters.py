"""A ``Filter`` as conditions of SQL. Values are always parameters, never part of the text.

Conditions of the *record* (time, names, tags, ids) are asked of each attempt; those of the *call*
(cost, latency, text) of its last attempt, for all attempts of the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec
from msgspec import Struct

from headway.ledger.content_chain import search_words
from headway.ledger.ids import pack_id
from headway.ledger.money import split_usd
from headway.ledger.profile_filter import profile_test
from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Filter
from headway.ledger.stores.sqlite.keys import find_number
from headway.ledger.stores.sqlite.sql import all_rows
from headway.ledger.stores.sqlite.writing import number_of

_IS_LAST = PROFILE_FIELDS.index("is_last")
CALL = "ifnull({r}.call_id, {r}.id)"
CALL_PD = "ifnull({r}.call_pd, {r}.cost_pd)"
_TEXT = f"""{{r}}.n IN (
  WITH RECURSIVE hits (node) AS (
    SELECT id FROM nodes WHERE piece IN (SELECT rowid FROM piece_texts WHERE piece_texts MATCH ?)
    UNION SELECT n.id FROM hits JOIN nodes AS n ON n.parent = hits.node
  )
  SELECT t.n FROM content_nodes AS cn JOIN contents AS c ON c.id = cn.content
  JOIN records AS t ON substr({CALL.format(r="t")}, -6) = substr(c.call_id, -6)
  AND {CALL.format(r="t")} = c.call_id WHERE cn.node IN (SELECT node FROM hits)
  UNION SELECT rowid FROM error_texts WHERE error_texts MATCH ?)"""
_LAST_OF_CALL = (
    f"SELECT 1 FROM records AS l JOIN profiles AS p ON p.id = l.profile WHERE p.is_last "
    f"AND substr({CALL.format(r='l')}, -6) = substr({CALL.format(r='r')}, -6) "
    f"AND {CALL.format(r='l')} = {CALL.format(r='r')}"
)
NEVER = "0"
MOST_TAG_SETS = 5000
"""Where more sets have a tag, it is so common that its records are found without an index."""


class Facet(Struct, frozen=True):
    """A condition that an index knows the records of."""

    index: str
    sql: str
    """With a place for each of ``values``."""
    values: tuple[Any, ...]
    column: str | None = None
    """Of a list of numbers, which the only one of ``values`` is, as JSON: the index has the records
    of each number in the order of their time."""


class Conditions(Struct):
    """What records ``AS r`` must fulfil."""

    sql: list[str]
    values: list[Any]
    facets: list[Facet] = []
    since: int | None = None
    """None has a number below."""
    before: int | None = None
    """All have numbers below."""
    is_narrow: bool = False
    """They name ids, or words of a text: the database finds the few records by itself."""

    @property
    def text(self) -> str:
        return " AND ".join(self.sql) or "1"

    def add(self, sql: str, *values: Any) -> None:
        self.sql.append(sql)
        self.values.extend(values)

    def add_numbers(self, column: str, numbers: Sequence[int]) -> None:
        """One of ``numbers`` in ``column``, which has an index."""
        sql, chosen = f"r.{column} IN (SELECT value FROM json_each(?))", encode_list(numbers)
        self.facets.append(Facet(f"records_by_{column}", sql, (chosen,), column))
        self.add(sql.replace("r.", "+r.", 1), chosen)


def encode_list(values: Sequence[Any]) -> str:
    """For ``json_each``."""
    return msgspec.json.encode(values).decode()


def compile_filter(
    db: apsw.Connection, where: Filter, profiles: dict[int, tuple[Any, ...]], *, of_calls: bool
) -> Conditions:
    """``of_calls``: only last attempts, which stand for their calls."""
    matches = profile_test(where)
    chosen = {id_ for id_, profile in profiles.items() if matches(profile)}
    if of_calls:
        chosen = {id_ for id_ in chosen if profiles[id_][_IS_LAST]}
    conditions = Conditions([], [], is_narrow=bool(where.ids) or where.text is not None)
    _add_times(conditions, where)
    if len(chosen) < len(profiles):
        conditions.add_numbers("profile", sorted(chosen))
    _add_names(db, conditions, where)
    _add_ids(conditions, where)
    of_call = Conditions([], [])
    _add_limits(of_call, where)
    _add_text(of_call, where)
    if of_call.sql:
        own = of_call.text.format(r="r")
        if of_calls:
            conditions.add(own, *of_call.values)
            conditions.facets += _limit_facets(where)
        else:
            of_last = f"EXISTS ({_LAST_OF_CALL} AND {of_call.text.format(r='l')})"
            is_last = "(SELECT is_last FROM profiles WHERE id = r.profile)"
            conditions.add(
                f"CASE WHEN {is_last} THEN {own} ELSE {of_last} END",
                *of_call.values, *of_call.values,
            )  # fmt: skip
    return conditions


def _add_times(conditions: Conditions, where: Filter) -> None:
    if where.since is not None:
        conditions.since = limit_number(where.since)
        conditions.add("r.n >= ?", conditions.since)
    if where.until is not None:
        conditions.before = limit_number(where.until)
        conditions.add("r.n < ?", conditions.before)


def limit_number(time_s: float) -> int:
    """The number of the first record of that time."""
    return number_of(round(time_s * 1e6))


def _add_names(db: apsw.Connection, conditions: Conditions, where: Filter) -> None:
    for column, table, texts in (
        ("user", "names", where.users), ("session", "sessions", where.sessions),
    ):  # fmt: skip
        if texts:
            numbers = [find_number(db, table, text) for text in texts]
            found = [number for number in numbers if number is not None]
            conditions.add_numbers(column, found)
    if where.tags:
        marks = ", ".join("?" * len(where.tags))
        conditions.add(
            f"EXISTS (SELECT 1 FROM tags WHERE tag_set = r.tags AND tag IN ({marks}))",
            *where.tags,
        )
        sets = f"SELECT DISTINCT tag_set FROM tags WHERE tag IN ({marks}) LIMIT ?"
        found = [row[0] for row in all_rows(db, sql=sets, values=(*where.tags, MOST_TAG_SETS))]
        if len(found) < MOST_TAG_SETS:
            chosen = encode_list(found)
            tags = "r.tags IN (SELECT value FROM json_each(?))"
            conditions.facets.append(Facet("records_by_tags", tags, (chosen,), "tags"))


_ID_ENDS = ((CALL.format(r="r"), -6), ("r.request_id", -5), ("r.reply_id", -5))
"""Ids, and how many of their last characters or bytes are in the index."""


def _add_ids(conditions: Conditions, where: Filter) -> None:
    if not where.ids:
        return
    alternatives, values = [], []
    for packed in map(pack_id, where.ids):
        for expression, end in _ID_ENDS:
            alternatives.append(
                f"(substr({expression}, {end}) = substr(?, {end}) AND {expression} = ?)"
            )
            values += [packed, packed]
    conditions.add(f"({' OR '.join(alternatives)})", *values)


def _add_limits(conditions: Conditions, where: Filter) -> None:
    if where.min_cost_usd is not None:
        picodollars, rest = split_usd(where.min_cost_usd)
        conditions.add(f"{CALL_PD} >= ?", picodollars + (rest is not None))
    if where.max_cost_usd is not None:
        conditions.add(f"{CALL_PD} <= ?", split_usd(where.max_cost_usd)[0])
    if where.min_latency_s is not None:
        conditions.add("{r}.latency_us >= ?", where.min_latency_s * 1e6)
    if where.max_latency_s is not None:
        conditions.add("{r}.latency_us <= ?", where.max_latency_s * 1e6)


def _limit_facets(where: Filter) -> list[Facet]:
    facets = []
    for names, index in (
        (("min_cost_usd", "max_cost_usd"), "records_by_cost"),
        (("min_latency_s", "max_latency_s"), "records_by_latency"),
    ):
        limits = Conditions([], [])
        _add_limits(limits, Filter(**{name: getattr(where, name) for name in names}))
        if limits.sql:
            facets.append(Facet(index, limits.text.format(r="r"), tuple(limits.values)))
    return facets


def _add_text(conditions: Conditions, where: Filter) -> None:
    if where.text is None:
        return
    words = search_words(where.text)
    match = " ".join(f'"{word}"' for word in words)
    if words:
        conditions.add(_TEXT, match, match)
    else:
        conditions.add(NEVER)
