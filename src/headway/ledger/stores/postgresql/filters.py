"""A ``Filter`` as conditions of SQL. Values are always parameters, never part of the text.

Conditions of the *record* (time, names, tags, ids) are asked of each attempt; those of the *call*
(cost, latency, text) of its last attempt, for all attempts of the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from headway.ledger.content_chain import search_words
from headway.ledger.money import DIGITS
from headway.ledger.profile_filter import profile_test, terms_of_roles
from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Filter
from headway.ledger.stores.postgresql.ids import clean, hash_of, key_of
from headway.ledger.stores.postgresql.indexes import (
    call_cost,
    cost_step,
    latency_step,
    step_of_cost,
    step_of_latency,
)
from headway.ledger.stores.postgresql.schema import end_of_id, number_of, own_call

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection
    from headway.ledger.stores.postgresql.keys import KeyTexts

_IS_LAST = PROFILE_FIELDS.index("is_last")
LARGEST = 2**63 - 1
MAX_DRIVERS = 200
"""Numbers that are looked up one after the other."""
_LAST_OF_CALL = (
    "SELECT 1 FROM records l JOIN profiles p ON p.id = l.profile WHERE p.is_last "
    f"AND {end_of_id(own_call('l.'))} = {end_of_id(own_call())} AND {own_call('l.')} = {own_call()}"
)
IS_ALONE = (
    "(SELECT is_last FROM profiles WHERE id = r.profile) "
    "OR (SELECT role = 'shadow' FROM terms WHERE id = r.terms)"
)
"""A record has what is asked of calls itself: it ends one, or is a copy."""
_TEXT_CANDIDATES = """
WITH RECURSIVE hits (month, hash, parent) AS (
  SELECT n.month, n.hash, n.parent
  FROM pieces p JOIN nodes n ON n.month = p.month AND n.piece = p.hash
  WHERE p.words @> $1::text[]
  UNION
  SELECT n.month, n.hash, n.parent
  FROM hits h JOIN nodes n ON n.month = h.month AND n.parent = h.hash
)
SELECT c.call_id FROM hits h JOIN contents c ON c.month = h.month AND c.head = h.hash
UNION
SELECT c.call_id FROM hits h
JOIN contents c ON c.month = h.month AND c.head = h.parent AND h.hash = ANY(c.outputs)
"""


class Conditions:
    """What records ``AS r`` must fulfil."""

    def __init__(self) -> None:
        self.sql: list[str] = []
        self.values: list[Any] = []
        self.driver: tuple[str, list[int]] | None = None
        """A column with an index by it and the time, and the numbers of it that are meant; it is
        among the conditions, too."""
        self.before_us = LARGEST
        """No record is newer."""
        self.since_us = -LARGEST
        """No record is older."""
        self.profiles: tuple[int, int] | None = None
        """The places of the condition by profiles, and of its value."""
        self.is_by_id = False
        self.is_indexed = False
        """One of the conditions has an index that finds few records."""

    @property
    def text(self) -> str:
        return " AND ".join(self.sql) or "true"

    def value(self, value: Any) -> str:
        """The placeholder of a parameter."""
        self.values.append(value)
        return f"${len(self.values)}"

    def copy(self) -> Conditions:
        copied = Conditions()
        copied.sql, copied.values = [*self.sql], [*self.values]
        copied.driver, copied.is_indexed = self.driver, self.is_indexed
        copied.before_us, copied.since_us = self.before_us, self.since_us
        copied.is_by_id, copied.profiles = self.is_by_id, self.profiles
        return copied

    @property
    def has_many_numbers(self) -> bool:
        """An index would have to look up each of them."""
        return self.driver is None or len(self.driver[1]) > MAX_DRIVERS

    def filter_profiles(self) -> None:
        """Compare profiles with a bit for each instead of a list: that takes the same time however
        many there are, and no index is used for it."""
        if self.profiles is None:
            return
        at, number = self.profiles
        bits = bytearray(max(self.values[number], default=0) // 8 + 1)
        for profile in self.values[number]:
            bits[profile >> 3] |= 1 << (profile & 7)
        size, bitmap = self.value(len(bits) * 8), self.value(bytes(bits))
        self.sql[at] = (
            f'CASE WHEN r."profile" < {size} THEN get_bit({bitmap}::bytea, r."profile") = 1 '
            f"ELSE false END AND ${number + 1}::integer[] IS NOT NULL"
        )

    def drive(self, column: str, numbers: Sequence[int]) -> None:
        """A condition by numbers; the first one given decides the index."""
        kind = "bigint" if column in ("user", "session") else "integer"
        if column == "profile":
            self.profiles = len(self.sql), len(self.values)
        self.sql.append(f'r."{column}" = ANY({self.value(list(numbers))}::{kind}[])')
        if self.driver is None:
            self.driver = column, list(numbers)


async def compile_filter(
    connection: Connection,
    where: Filter,
    texts: KeyTexts,
    *,
    of_calls: bool,
) -> Conditions:
    """``of_calls``: only last attempts, which stand for their calls, and the copies where ``where``
    asks for them."""
    has_copies = "shadow" in where.roles
    conditions = Conditions()
    _add_times(conditions, where)
    await _add_ids(connection, conditions, where)
    for column, numbers in (await find_numbers(connection, where)).items():
        conditions.drive(column, numbers)
    matches = profile_test(where)
    chosen = [
        id_
        for id_, profile in texts.profiles.items()
        if matches(profile) and (profile[_IS_LAST] or has_copies or not of_calls)
    ]
    if of_calls or asks_for_profiles(where):
        conditions.drive("profile", chosen)
    if where.roles:
        asked = conditions.value(terms_of_roles(texts.terms, where.roles))
        conditions.sql.append(f"r.terms = ANY({asked}::integer[])")
    if of_calls and has_copies:
        ends = conditions.value([id_ for id_ in chosen if texts.profiles[id_][_IS_LAST]])
        copies = conditions.value(terms_of_roles(texts.terms, ("shadow",)))
        conditions.sql.append(
            f"(r.profile = ANY({ends}::integer[]) OR r.terms = ANY({copies}::integer[]))"
        )
    await _add_conditions_of_calls(connection, conditions, where, of_calls)
    return conditions


async def find_numbers(connection: Connection, where: Filter) -> dict[str, list[int]]:
    """The numbers of sessions, users and tag sets, where ``where`` asks for them."""
    found = {}
    for column, table, texts in (
        ("session", "sessions", where.sessions), ("user", "names", where.users),
    ):  # fmt: skip
        if texts:
            hashes = [hash_of(clean(text)) for text in texts]
            sql = f"SELECT id FROM {table} WHERE hash = ANY($1::bytea[])"
            found[column] = [row["id"] for row in await connection.fetch(sql, hashes)]
    if where.tags:
        sql = "SELECT id FROM tag_sets WHERE tags && $1::text[]"
        tags = [clean(tag) for tag in where.tags]
        found["tags"] = [row["id"] for row in await connection.fetch(sql, tags)]
    return found


def asks_for_profiles(where: Filter) -> bool:
    return bool(
        where.providers or where.models or where.dialects or where.keys or where.outcomes
        or where.statuses or where.routes or where.caches or where.owner is not None
    )  # fmt: skip


def limit_us(time_s: float) -> int:
    return _fit(time_s * 1e6)


def _fit(number: float) -> int:
    if -LARGEST < number < LARGEST:
        return round(number)
    return LARGEST if number > 0 else -LARGEST


def _picodollars(amount: Decimal, *, is_least: bool) -> int:
    """Rounded so that nothing within the limit is left out."""
    scaled = amount.scaleb(DIGITS)
    return _fit_decimal(scaled.to_integral_value(ROUND_CEILING if is_least else ROUND_FLOOR))


def _fit_decimal(number: Decimal) -> int:
    return int(max(Decimal(-LARGEST), min(number, Decimal(LARGEST))))


def _add_times(conditions: Conditions, where: Filter) -> None:
    if where.since is not None:
        conditions.since_us = limit_us(where.since)
        conditions.sql.append(f"r.time_us >= {conditions.value(limit_us(where.since))}")
    if where.until is not None:
        conditions.before_us = limit_us(where.until)
        conditions.sql.append(f"r.time_us < {conditions.value(limit_us(where.until))}")


async def _add_ids(connection: Connection, conditions: Conditions, where: Filter) -> None:
    """The records are looked up first, so that the day of each is known."""
    if not where.ids:
        return
    keys, texts = [key_of(text) for text in where.ids], [clean(text) for text in where.ids]
    rows = await connection.fetch(_FIND_IDS, [key[12:] for key in keys], keys, texts)
    times, ids = [row["time_us"] for row in rows], [row["id"] for row in rows]
    conditions.sql.append(
        f"r.time_us = ANY({conditions.value(times)}::bigint[]) AND "
        f"r.id = ANY({conditions.value(ids)}::bytea[])"
    )
    conditions.is_indexed = conditions.is_by_id = True


_FIND_IDS = f"""
SELECT r.time_us, r.id FROM records r
WHERE {end_of_id(own_call())} = ANY($1::bytea[]) AND {own_call()} = ANY($2::bytea[])
UNION
SELECT r.time_us, r.id FROM records r
WHERE {end_of_id("r.request_id")} = ANY($1::bytea[]) AND r.request_id = ANY($2::bytea[])
UNION
SELECT r.time_us, r.id FROM unnest($3::text[]) AS t (text) JOIN records r ON r.reply_id = t.text
"""


async def _add_conditions_of_calls(
    connection: Connection, conditions: Conditions, where: Filter, of_calls: bool
) -> None:
    if where.text is not None:
        words = search_words(clean(where.text))
        if words:
            calls = await find_text(connection, words)
            ends = conditions.value([call[12:] for call in calls])
            conditions.sql.append(
                f"({end_of_id(own_call())} = ANY({ends}::bytea[]) AND "
                f"{own_call()} = ANY({conditions.value(calls)}::bytea[]) OR "
                f"r.error_words @> {conditions.value(words)}::text[])"
            )
        else:
            conditions.sql.append("false")
        conditions.is_indexed = True
    limits = _limits(conditions, where)
    if limits:
        own, of_last = (" AND ".join(limits).format(r=name) for name in ("r", "l"))
        if of_calls:
            conditions.sql.append(own)
            conditions.is_indexed = True
        else:
            exists = f"EXISTS ({_LAST_OF_CALL} AND {of_last})"
            conditions.sql.append(f"CASE WHEN {IS_ALONE} THEN {own} ELSE {exists} END")


async def find_text(connection: Connection, words: Sequence[str]) -> list[Any]:
    """The calls in whose messages one has all of ``words``."""
    return [row["call_id"] for row in await connection.fetch(_TEXT_CANDIDATES, words)]


def _limits(conditions: Conditions, where: Filter) -> list[str]:
    """Of the cost and the latency of a call, each with the step that the index has. ``{r}`` stands
    for the table."""
    costs = [
        (sign, _picodollars(limit, is_least=sign == ">="))
        for sign, limit in ((">=", where.min_cost_usd), ("<=", where.max_cost_usd))
        if limit is not None
    ]
    latencies = [
        (sign, _fit(limit * 1e6))
        for sign, limit in ((">=", where.min_latency_s), ("<=", where.max_latency_s))
        if limit is not None
    ]
    limits = []
    for sign, number in costs:
        step = step_of_cost(number) + (1 if sign == "<=" else -1)
        limits.append(f"{call_cost('{r}.')} {sign} {conditions.value(number)}")
        limits.append(f"{cost_step('{r}.')} {sign} {conditions.value(step)}")
    for sign, number in latencies:
        step = step_of_latency(number)
        limits.append(f"{number_of('latency_us', '{r}.')} {sign} {conditions.value(number)}")
        limits.append(f"{latency_step('{r}.')} {sign} {conditions.value(step)}")
    return limits
