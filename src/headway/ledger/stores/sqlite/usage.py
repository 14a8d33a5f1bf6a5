"""Usage by groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from headway.ledger.rollup import NAME_TIME, Cell, sort_usage
from headway.ledger.rows import COLUMNS, PROFILE_FIELDS, Texts
from headway.ledger.store import Dimension, Filter, Usage
from headway.ledger.stores.sqlite.reading import SELECT, Reader, cost_of_call
from headway.ledger.stores.sqlite.writing import time_of

_PROFILE_AT = {
    name: PROFILE_FIELDS.index(field)
    for name, field in (
        ("provider", "provider"), ("model", "model"), ("deployment", "deployment"),
        ("key", "key_id"), ("dialect", "dialect"), ("outcome", "outcome"),
    )
}  # fmt: skip
_WIDTH = len(COLUMNS)


def read_usage(
    reader: Reader, where: Filter, by: Sequence[Dimension], metrics: Sequence[str]
) -> list[Usage]:
    conditions = reader.compile(where, of_calls=False).with_profiles()
    sql = f"{SELECT} WHERE {conditions.text}"
    cells: dict[tuple[str | None, ...], Cell] = {} if by else {(): Cell()}
    for row in reader.db.execute(sql, tuple(conditions.values)):
        texts = reader.texts.texts_of(row[_WIDTH + 2 :])
        cost = cost_of_call(row)
        for group in groups_of(time_of(row[0]), texts, by):
            cells.setdefault(group, Cell()).add(row, texts.profile, texts.terms, cost)
    return sort_usage(
        [cell.to_usage(dict(zip(by, group, strict=True)), metrics) for group, cell in cells.items()]
    )


def groups_of(
    time_us: int, texts: Texts, by: Sequence[Dimension]
) -> Iterator[tuple[str | None, ...]]:
    """One for each tag, where it is asked for."""
    return product(*[_values_of(time_us, texts, dimension) for dimension in by])


def _values_of(time_us: int, texts: Texts, dimension: Dimension) -> Sequence[Any]:
    if dimension in NAME_TIME:
        return (NAME_TIME[dimension](time_us),)
    if dimension == "tag":
        return texts.tags or (None,)
    if dimension == "user":
        return (texts.user,)
    if dimension == "session":
        return (texts.session,)
    return (texts.profile[_PROFILE_AT[dimension]],)
