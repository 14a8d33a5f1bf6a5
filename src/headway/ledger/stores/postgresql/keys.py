"""The numbers of keys (``headway.ledger.rows.Keys``) in PostgreSQL, and the keys of numbers.

Numbers are created outside of the transaction that uses them: a number that nothing refers to does
no harm, and two gateways that create the same ones do not wait for each other's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from headway.ledger.rows import PROFILE_FIELDS, TERMS_FIELDS, Key, Keys, decode_key, encode_key
from headway.ledger.stores.postgresql.ids import clean, hash_of
from headway.ledger.stores.postgresql.schema import MODEL_GROUP_FIELDS, quote

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

CACHE_LIMIT = 100_000
"""Numbers of a table that a process remembers."""
TABLES = ("profiles", "terms", "names", "tag_sets", "sessions", "names")
"""Where the numbers of each of ``Keys`` are."""
OVERLAP = 1000
"""Numbers may become visible in another order than they were given out."""
_PLAIN_TERMS = TERMS_FIELDS[:-2]
_COLUMNS: dict[str, tuple[str, ...]] = {
    "profiles": PROFILE_FIELDS,
    "terms": _PLAIN_TERMS,
    "names": (),
    "tag_sets": ("tags",),
    "sessions": (),
    "model_groups": (),
}
_PLACES = tuple(map(PROFILE_FIELDS.index, MODEL_GROUP_FIELDS))


def _insert(table: str) -> str:
    names = ("hash", "key", *_COLUMNS[table])
    values = ", ".join(f"${at}" for at in range(1, len(names) + 1))
    return f"INSERT INTO {table} ({quote(names)}) VALUES ({values}) ON CONFLICT DO NOTHING"


_INSERT = {table: _insert(table) for table in _COLUMNS}


class KeyNumbers:
    """Of the writer."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Key, int]] = {table: {} for table in _COLUMNS}

    def forget(self) -> None:
        """After numbers were deleted."""
        for numbers in self._numbers.values():
            numbers.clear()

    async def find_all(
        self, connection: Connection, keys: Sequence[Keys]
    ) -> list[list[int | None]]:
        """The numbers of the keys of each record; creates those that are missing."""
        columns = []
        for table, column in zip(TABLES, zip(*keys, strict=True), strict=True):
            numbers = await self.find(connection, table, column)
            columns.append([None if key is None else numbers[key] for key in column])
        return [list(row) for row in zip(*columns, strict=True)]

    async def find(
        self, connection: Connection, table: str, keys: Iterable[Key | None]
    ) -> dict[Key, int]:
        """Key -> number, of at least ``keys``."""
        numbers = self._numbers[table]
        if len(numbers) > CACHE_LIMIT:
            numbers.clear()
        missing = set(keys).difference(numbers)
        missing.discard(None)
        if missing:
            numbers.update(await _find_or_create(connection, table, missing))
        return numbers


def model_group_of(profile: Sequence[Any]) -> tuple[Any, ...]:
    """The key of the models' own table of usage."""
    return tuple([profile[place] for place in _PLACES])


async def _find_or_create(connection: Connection, table: str, keys: set[Key]) -> dict[Key, int]:
    texts = {hash_of(text): (text, key) for text, key in ((_text_of(key), key) for key in keys)}
    found = await _find(connection, table, texts)
    missing = sorted(texts.keys() - found.keys())  # in one order, so that nobody waits in a circle
    if missing:
        rows = [(hash_, texts[hash_][0], *_values(table, texts[hash_][1])) for hash_ in missing]
        await connection.executemany(_INSERT[table], rows)
        found.update(await _find(connection, table, missing))
    numbers: dict[Key, int] = {}
    for key in keys:
        numbers[key] = found[hash_of(_text_of(key))]
    return numbers


async def _find(connection: Connection, table: str, hashes: Iterable[str]) -> dict[str, int]:
    sql = f"SELECT hash, id FROM {table} WHERE hash = ANY($1::uuid[])"
    rows = await connection.fetch(sql, list(hashes))
    return {row["hash"].hex: row["id"] for row in rows}


def _text_of(key: Key) -> str:
    return clean(key) if isinstance(key, str) else encode_key(key)


def _values(table: str, key: Key) -> Iterable[Any]:
    if table == "tag_sets":
        return ([clean(tag) for tag in key],)
    if table in ("profiles", "terms"):
        values = key[: len(_COLUMNS[table])]
        return [clean(value) if isinstance(value, str) else value for value in values]
    return ()


class KeyTexts:
    """All profiles, terms and model groups, which are few, for those who read."""

    def __init__(self) -> None:
        self.profiles: dict[int, tuple[Any, ...]] = {}
        self.terms: dict[int, tuple[Any, ...]] = {}
        self.model_groups: dict[int, tuple[Any, ...]] = {}

    async def update(self, connection: Connection) -> None:
        """Read what has been added since the last time."""
        tables = ("profiles", "terms", "model_groups")
        known = (self.profiles, self.terms, self.model_groups)
        newest = [max(numbers, default=0) - OVERLAP for numbers in known]
        for row in await connection.fetch(_NEWER, *newest):
            numbers = known[tables.index(row["name"])]
            if row["id"] not in numbers:
                numbers[row["id"]] = decode_key(row["key"])


_NEWER = """
SELECT 'profiles' AS name, id, key FROM profiles WHERE id > $1
UNION ALL SELECT 'terms', id, key FROM terms WHERE id > $2
UNION ALL SELECT 'model_groups', id, key FROM model_groups WHERE id > $3
"""
