"""The numbers of keys (``headway.ledger.rows.Keys``) in PostgreSQL, and the keys of numbers.

Numbers are created outside of the transaction that uses them: a number that nothing refers to does
no harm, and two gateways that create the same ones do not wait for each other's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from headway.ledger.rows import (
    LARGEST_CODE,
    PROFILE_FIELDS,
    TERMS_FIELDS,
    Key,
    decode_key,
    decode_profile,
    encode_key,
    pad_profile,
)
from headway.ledger.stores.postgresql.ids import clean, hash_of
from headway.ledger.stores.postgresql.schema import quote

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection

CACHE_LIMIT = 100_000
"""Numbers of a table that a process remembers."""
OVERLAP = 1000
"""Numbers may become visible in another order than they were given out."""
_PLAIN_TERMS = TERMS_FIELDS[:-2]
_COLUMNS: dict[str, tuple[str, ...]] = {
    "profiles": PROFILE_FIELDS,
    "terms": _PLAIN_TERMS,
    "names": (),
    "tag_sets": ("tags",),
    "sessions": (),
}


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

    async def find(
        self, connection: Connection, table: str, keys: Sequence[Key | None]
    ) -> list[int | None]:
        """The number of each key, None for None."""
        numbers = self._numbers[table]
        if len(numbers) > CACHE_LIMIT:
            numbers.clear()
        found = list(map(numbers.get, keys))
        if found.count(None) > keys.count(None):
            missing = set(keys).difference(numbers, (None,))
            numbers.update(await _find_or_create(connection, table, missing))
            found = list(map(numbers.get, keys))
        return found


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


async def _find(connection: Connection, table: str, hashes: Iterable[bytes]) -> dict[bytes, int]:
    sql = f"SELECT hash, id FROM {table} WHERE hash = ANY($1::bytea[])"
    rows = await connection.fetch(sql, list(hashes))
    return {row["hash"]: row["id"] for row in rows}


def _text_of(key: Key) -> str:
    return clean(key) if isinstance(key, str) else encode_key(key)


def _values(table: str, key: Key) -> Iterable[Any]:
    if table == "tag_sets":
        return ([clean(tag) for tag in key],)
    if table == "profiles":
        return map(_fit, pad_profile(key))
    if table == "terms":
        return map(_fit, key[: len(_COLUMNS[table])])
    return ()


def _fit(value: Any) -> Any:
    """A value for the columns that are for people with SQL: the key itself has it as it is."""
    if type(value) is int:
        return max(-LARGEST_CODE, min(value, LARGEST_CODE))
    return clean(value) if isinstance(value, str) else value


async def find_profiles(
    connection: Connection, numbers: Iterable[int]
) -> dict[int, tuple[Any, ...]]:
    """The keys of profiles."""
    chosen = list(numbers)
    if not chosen:
        return {}
    sql = "SELECT id, key FROM profiles WHERE id = ANY($1::integer[])"
    return {row["id"]: decode_profile(row["key"]) for row in await connection.fetch(sql, chosen)}


class KeyTexts:
    """All profiles and terms, which are few, for those who read."""

    def __init__(self) -> None:
        self.profiles: dict[int, tuple[Any, ...]] = {}
        self.terms: dict[int, tuple[Any, ...]] = {}

    async def update(self, connection: Connection) -> None:
        """Read what has been added since the last time."""
        newest = [max(numbers, default=0) - OVERLAP for numbers in (self.profiles, self.terms)]
        for row in await connection.fetch(_NEWER, *newest):
            is_profile = row["is_profile"]
            known, decode = (
                (self.profiles, decode_profile) if is_profile else (self.terms, decode_key)
            )
            if row["id"] not in known:
                known[row["id"]] = decode(row["key"])


_NEWER = """
SELECT true AS is_profile, id, key FROM profiles WHERE id > $1
UNION ALL SELECT false, id, key FROM terms WHERE id > $2
"""
