"""The numbers of keys (``headway.ledger.rows.Keys``) in a SQLite database, and the keys of numbers.

A number never changes its meaning, so both are cached; the writer's cache is emptied when a
transaction fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

from headway.ledger.rows import (
    PROFILE_FIELDS,
    TERMS_FIELDS,
    Key,
    Texts,
    decode_key,
    decode_profile,
    encode_key,
    pad_profile,
)
from headway.ledger.stores.sqlite.facets import profile_tokens, tag_set_tokens
from headway.ledger.stores.sqlite.sql import first_value

CACHE_LIMIT = 100_000
"""Numbers of a table that the writer remembers."""
_CREATE = {
    "profiles": f"INSERT INTO profiles (key, {', '.join(PROFILE_FIELDS)}, tokens) "
    f"VALUES (?{', ?' * len(PROFILE_FIELDS)}, ?)",
    "terms": f"INSERT INTO terms (key, {', '.join(TERMS_FIELDS)}) "
    f"VALUES (?{', ?' * len(TERMS_FIELDS)})",
    "names": "INSERT INTO names (key) VALUES (?)",
    "tag_sets": "INSERT INTO tag_sets (key, tokens) VALUES (?, ?)",
    "sessions": "INSERT INTO sessions (key, ended_us) VALUES (?, 0)",
}
_FIND = {table: f"SELECT id FROM {table} WHERE key = ?" for table in _CREATE}


class KeyNumbers:
    """Of the writer."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Key, Any]] = {table: {} for table in _CREATE}

    def forget(self) -> None:
        for numbers in self._numbers.values():
            numbers.clear()

    def find(self, db: apsw.Connection, table: str, key: Key) -> int:
        """The number of a key; creates one that is missing."""
        numbers = self._numbers[table]
        number: int | None = numbers.get(key)
        if number is None:
            if len(numbers) > CACHE_LIMIT:
                numbers.clear()
            number = numbers[key] = _find_or_create(db, table, key)
        return number

    def find_all(
        self, db: apsw.Connection, table: str, keys: Sequence[Key | None]
    ) -> list[int | None]:
        """The number of each key, None for None."""
        get = self._numbers[table].get
        numbers = list(map(get, keys))
        for at, key in enumerate(keys) if None in numbers else ():
            if key is not None:
                numbers[at] = self.find(db, table, key)
        return numbers

    def profile_of(self, db: apsw.Connection, number: int) -> tuple[Any, ...]:
        """The key of a profile."""
        key: tuple[Any, ...] = decode_key(
            first_value(db, "SELECT key FROM profiles WHERE id = ?", (number,))
        )
        return key


def _find_or_create(db: apsw.Connection, table: str, key: Key) -> int:
    text = key if isinstance(key, str) else encode_key(key)
    number = find_number(db, table, text)
    if number is not None:
        return number
    db.execute(_CREATE[table], (text, *_values(table, key)))
    number = db.last_insert_rowid()
    if table == "tag_sets":
        db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(tag, number) for tag in key])
    return number


def _values(table: str, key: Key) -> Iterable[Any]:
    """Of the columns after the key."""
    if table == "profiles":
        return (*pad_profile(key), profile_tokens(key))
    if table == "tag_sets":
        return (tag_set_tokens(key),)
    if table == "terms":
        return [encode_key(value) if isinstance(value, tuple) else value for value in key]
    return ()


def find_number(db: apsw.Connection, table: str, text: str) -> int | None:
    """None where the table does not have the key."""
    found: int | None = first_value(db, _FIND[table], (text,))
    return found


class KeyTexts:
    """Of one reading connection: all profiles and terms, which are few."""

    def __init__(self) -> None:
        self.profiles: dict[int, tuple[Any, ...]] = {}
        self.terms: dict[int, tuple[Any, ...]] = {}

    def update(self, db: apsw.Connection) -> None:
        """Read what has been added since the last time."""
        for table, known, decode in (
            ("profiles", self.profiles, decode_profile),
            ("terms", self.terms, decode_key),
        ):
            newest = max(known, default=0)
            sql = f"SELECT id, key FROM {table} WHERE id > ?"
            known.update((id_, decode(key)) for id_, key in db.execute(sql, (newest,)))

    def texts_of(self, row: Sequence[Any]) -> Texts:
        """Of profile, terms, user, tags, session, parameters as ``KEY_TEXTS`` selects them."""
        profile, terms, user, tags, session, parameters = row
        tag_set = None if tags is None else decode_key(tags)
        return Texts(self.profiles[profile], self.terms[terms], user, tag_set, session, parameters)


KEY_TEXTS = """profile, terms,
(SELECT key FROM names WHERE id = r.user),
(SELECT key FROM tag_sets WHERE id = r.tags),
(SELECT key FROM sessions WHERE id = r.session),
(SELECT key FROM names WHERE id = r.parameters)"""
"""Columns for ``KeyTexts.texts_of``, of ``records AS r``."""
