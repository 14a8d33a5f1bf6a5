"""Asking SQLite, with answers whose types are not known to the type checker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import msgspec


def each_row(
    db: apsw.Connection, sql: str, values: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """The rows, read as they are asked for."""
    return iter(db.execute(sql, tuple(values)))


def all_rows(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return list(db.execute(sql, tuple(values)))


def first_row(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """None where there is no row."""
    return next(iter(all_rows(db, sql, values)), None)


def first_value(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """The first column of the first row; None where there is no row."""
    row = first_row(db, sql, values)
    return None if row is None else row[0]


def encode_list(values: Sequence[Any]) -> str:
    """For ``json_each``."""
    return msgspec.json.encode(values).decode()
