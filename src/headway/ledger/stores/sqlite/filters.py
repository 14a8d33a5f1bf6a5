"""A ``Filter`` as conditions of SQL. Values are always parameters, never part of the text.

Conditions of the *record* (time, names, tags, ids) are asked of each attempt; those of the *call*
(cost, latency, text) of its last attempt, for all attempts of the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw
from msgspec import Struct

from headway.ledger.content_chain import search_words
from headway.ledger.ids import pack_id
from headway.ledger.money import split_usd
from headway.ledger.profile_filter import profile_test, terms_of_roles
from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Filter
from headway.ledger.stores.sqlite.facets import (
    CALL_PD,
    any_of,
    id_token,
    profile_token,
    sql_id_token,
    steps_between,
    tag_token,
)
from headway.ledger.stores.sqlite.keys import KeyTexts, find_number
from headway.ledger.stores.sqlite.numbers import limit_number
from headway.ledger.stores.sqlite.sql import encode_list

_IS_LAST = PROFILE_FIELDS.index("is_last")
CALL = "ifnull({r}.call_id, {r}.id)"
_TEXT = f"""{{r}}.n IN (
  WITH RECURSIVE hits (node) AS (
    SELECT id FROM nodes WHERE piece IN (SELECT rowid FROM piece_texts WHERE piece_texts MATCH ?)
    UNION SELECT n.id FROM hits JOIN nodes AS n ON n.parent = hits.node
  )
  SELECT t.n FROM content_nodes AS cn JOIN contents AS c ON c.id = cn.content
  CROSS JOIN facets AS f ON f.facets MATCH {sql_id_token("c.call_id")}
  CROSS JOIN records AS t ON t.n = f.rowid AND {CALL.format(r="t")} = c.call_id
  WHERE cn.node IN (SELECT node FROM hits)
  UNION SELECT rowid FROM error_texts WHERE error_texts MATCH ?)"""
_LAST_OF_CALL = (
    "SELECT 1 FROM facets AS f CROSS JOIN records AS l ON l.n = f.rowid "
    "CROSS JOIN profiles AS p ON p.id = l.profile "
    f"WHERE f.facets MATCH {sql_id_token(CALL.format(r='r'))} "
    f"AND {CALL.format(r='l')} = {CALL.format(r='r')} AND p.is_last"
)
IS_ALONE = (
    "(SELECT is_last FROM profiles WHERE id = r.profile) "
    "OR (SELECT role = 'shadow' FROM terms WHERE id = r.terms)"
)
"""A record has what is asked of calls itself: it ends one, or is a copy."""
NEVER = "0"
RECORDS = "records AS r"
RECORDS_BY_FACETS = "facets CROSS JOIN records AS r ON r.n = facets.rowid"


class Conditions(Struct):
    """What records ``AS r`` must fulfil."""

    sql: list[str]
    values: list[Any]
    match: str | None = None
    """What their tokens must match (``headway.ledger.stores.sqlite.facets``); it is one of the
    conditions."""
    is_narrow: bool = False
    """They name words of a text: the database finds the few records by itself."""

    @property
    def text(self) -> str:
        return " AND ".join(self.sql) or "1"

    @property
    def source(self) -> str:
        """What to select from."""
        return RECORDS if self.match is None else RECORDS_BY_FACETS

    @property
    def number(self) -> str:
        """The number of a record, by which both sources are in order."""
        return "r.n" if self.match is None else "facets.rowid"

    def add(self, sql: str, *values: Any) -> None:
        self.sql.append(sql)
        self.values.extend(values)

    def copy(self) -> Conditions:
        return Conditions([*self.sql], [*self.values], self.match, self.is_narrow)


def compile_filter(
    db: apsw.Connection, where: Filter, texts: KeyTexts, *, of_calls: bool
) -> Conditions:
    """``of_calls``: only last attempts, which stand for their calls, and the copies where ``where``
    asks for them."""
    profiles, has_copies = texts.profiles, "shadow" in where.roles
    matches = profile_test(where)
    chosen = {id_ for id_, profile in profiles.items() if matches(profile)}
    if of_calls and not has_copies:
        chosen = {id_ for id_ in chosen if profiles[id_][_IS_LAST]}
    numbers = {
        column: _find_numbers(db, table, texts)
        for column, table, texts in (
            ("user", "names", where.users), ("session", "sessions", where.sessions),
        ) if texts
    }  # fmt: skip
    conditions = Conditions([], [], is_narrow=where.text is not None)
    if not conditions.is_narrow:
        _add_match(conditions, where, [profiles[id_] for id_ in chosen], numbers, of_calls)
    _add_times(conditions, where)
    if len(chosen) < len(profiles):
        _add_list(conditions, "profile", sorted(chosen))
    for column, found in numbers.items():
        _add_list(conditions, column, found)
    _add_roles(conditions, where, texts, chosen, of_calls)
    _add_tags(conditions, where)
    _add_ids(conditions, where)
    of_call = Conditions([], [])
    _add_limits(of_call, where)
    _add_text(of_call, where)
    if of_call.sql:
        own = of_call.text.format(r="r")
        if of_calls:
            conditions.add(own, *of_call.values)
        else:
            of_last = f"EXISTS ({_LAST_OF_CALL} AND {of_call.text.format(r='l')})"
            conditions.add(
                f"CASE WHEN {IS_ALONE} THEN {own} ELSE {of_last} END",
                *of_call.values, *of_call.values,
            )  # fmt: skip
    return conditions


def _add_roles(
    conditions: Conditions, where: Filter, texts: KeyTexts, chosen: Iterable[int], of_calls: bool
) -> None:
    """``chosen``: the profiles that are asked for; where copies are, not only those of last
    attempts."""
    if not where.roles:
        return
    _add_list(conditions, "terms", terms_of_roles(texts.terms, where.roles))
    if of_calls and "shadow" in where.roles:
        ends = encode_list([id_ for id_ in chosen if texts.profiles[id_][_IS_LAST]])
        copies = encode_list(terms_of_roles(texts.terms, ("shadow",)))
        listed = "IN (SELECT value FROM json_each(?))"
        conditions.add(f"(r.profile {listed} OR r.terms {listed})", ends, copies)


def _find_numbers(db: apsw.Connection, table: str, texts: Sequence[str]) -> list[int]:
    numbers = [find_number(db, table, text) for text in texts]
    return [number for number in numbers if number is not None]


def _add_match(
    conditions: Conditions,
    where: Filter,
    profiles: Sequence[Sequence[Any]],
    numbers: Mapping[str, Sequence[int]],
    of_calls: bool,
) -> None:
    """``profiles``: those that are asked for; ``numbers``: of users and sessions."""
    asked = {
        "m": where.providers or where.models or where.dialects or where.routes,
        "k": where.keys or where.owner is not None,
        "o": where.outcomes or where.statuses,
    }
    all_of = [
        any_of(profile_token(profile, letter) for profile in profiles)
        for letter, is_asked in asked.items()
        if is_asked
    ]
    all_of += [any_of(f"{name[0]}{number}" for number in found) for name, found in numbers.items()]
    if where.tags:
        all_of.append(any_of(map(tag_token, where.tags)))
    if where.ids:
        all_of.append(any_of(id_token(pack_id(each)) for each in where.ids))
    if of_calls:
        all_of += _match_limits(where)
    if all(all_of):
        conditions.match = " AND ".join([f"({any_})" for any_ in all_of]) or None
    else:
        conditions.add(NEVER)
    if conditions.match is not None:
        conditions.add("facets MATCH ?", conditions.match)


def _match_limits(where: Filter) -> list[str]:
    found = []
    costs = [where.min_cost_usd, where.max_cost_usd]
    if any(limit is not None for limit in costs):
        picodollars = [None if cost is None else split_usd(cost)[0] for cost in costs]
        found.append(steps_between("cost", *picodollars))
    latencies = [where.min_latency_s, where.max_latency_s]
    if any(limit is not None for limit in latencies):
        micros = [None if latency is None else latency * 1e6 for latency in latencies]
        found.append(steps_between("latency", *micros))
    return found


def _add_times(conditions: Conditions, where: Filter) -> None:
    if where.since is not None:
        conditions.add(f"{conditions.number} >= ?", limit_number(where.since))
    if where.until is not None:
        conditions.add(f"{conditions.number} < ?", limit_number(where.until))


def _add_list(conditions: Conditions, column: str, numbers: Sequence[int]) -> None:
    conditions.add(f"r.{column} IN (SELECT value FROM json_each(?))", encode_list(numbers))


def _add_tags(conditions: Conditions, where: Filter) -> None:
    if where.tags:
        marks = ", ".join("?" * len(where.tags))
        conditions.add(
            f"EXISTS (SELECT 1 FROM tags WHERE tag_set = r.tags AND tag IN ({marks}))",
            *where.tags,
        )


def _add_ids(conditions: Conditions, where: Filter) -> None:
    if where.ids:
        ids = [pack_id(each) for each in where.ids]
        marks = ", ".join("?" * len(ids))
        columns = (CALL.format(r="r"), "r.request_id", "r.reply_id")
        alternatives = " OR ".join([f"{column} IN ({marks})" for column in columns])
        conditions.add(f"({alternatives})", *ids * len(columns))


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


def _add_text(conditions: Conditions, where: Filter) -> None:
    if where.text is None:
        return
    words = search_words(where.text)
    match = " ".join(f'"{word}"' for word in words)
    if words:
        conditions.add(_TEXT, match, match)
    else:
        conditions.add(NEVER)
