"""The numbers of the newest records that fulfil conditions, found in milliseconds whatever the
conditions are.

Common records are found by going back in time. Rare ones are found by an index: by the one with the
fewest records, of which all are looked at if they are few, else the newest of each of its values.
"""

from __future__ import annotations

from heapq import nlargest
from typing import Any

import apsw
import msgspec

from headway.ledger.stores.sqlite.filters import Conditions, Facet
from headway.ledger.stores.sqlite.sql import all_rows, first_value

WALKED = 4000
"""Records that are looked at one after the other before an index is asked."""
FEW = 3000
"""Records of an index that are all looked at."""


def find_newest(
    db: apsw.Connection, conditions: Conditions, limit: int, before: int | None = None
) -> list[int]:
    """Up to ``limit`` numbers below ``before``, the highest first."""
    page = Conditions([*conditions.sql], [*conditions.values])
    if conditions.before is not None:
        before = conditions.before if before is None else min(before, conditions.before)
    if before is not None:
        page.add("r.n < ?", before)
    if conditions.is_narrow:
        return _select(db, "records AS r", page, limit)
    if not conditions.facets:
        return _select(db, "records AS r NOT INDEXED", page, limit)
    found, end = _walk(db, page, limit, before)
    if len(found) >= limit or end is None:
        return found
    facet, count = _choose(db, conditions.facets)
    if count <= FEW:
        few = Conditions([facet.sql, *page.sql], [*facet.values, *page.values])
        return _select(db, f"records AS r INDEXED BY {facet.index}", few, limit)
    if facet.column is not None:
        return _newest_of_each(db, facet, page, limit)
    page.add("r.n < ?", end)
    return found + _select(db, "records AS r NOT INDEXED", page, limit - len(found))


def _select(db: apsw.Connection, source: str, page: Conditions, limit: int) -> list[int]:
    sql = f"SELECT r.n FROM {source} WHERE {page.text} ORDER BY r.n DESC LIMIT ?"
    return [n for (n,) in all_rows(db, sql, (*page.values, limit))]


def _walk(
    db: apsw.Connection, page: Conditions, limit: int, before: int | None
) -> tuple[list[int], int | None]:
    """What is found among the newest records, and the number of the oldest of them; None where
    there is no older one."""
    start = 2**63 - 1 if before is None else before
    oldest = "SELECT n FROM records WHERE n < ? ORDER BY n DESC LIMIT 1 OFFSET ?"
    end: int | None = first_value(db, oldest, (start, WALKED))
    walked = Conditions([*page.sql], [*page.values])
    if end is not None:
        walked.add("r.n >= ?", end)
    return _select(db, "records AS r NOT INDEXED", walked, limit), end


def narrow(db: apsw.Connection, conditions: Conditions, most: int) -> tuple[str, Conditions]:
    """What to select all records from, and under which conditions: by an index that has up to
    ``most`` of them, else in the order of time."""
    if conditions.is_narrow:
        return "records AS r", conditions
    if conditions.facets:
        facet, count = _choose(db, conditions.facets, most)
        if count <= most:
            sql, values = [facet.sql, *conditions.sql], [*facet.values, *conditions.values]
            return f"records AS r INDEXED BY {facet.index}", Conditions(sql, values)
    return "records AS r NOT INDEXED", conditions


def _choose(db: apsw.Connection, facets: list[Facet], most: int = FEW) -> tuple[Facet, int]:
    """The one with the fewest records, and their number, which may be more than ``most``."""
    counts = []
    for facet in facets:
        sql = (
            f"SELECT count(*) FROM (SELECT 1 FROM records AS r INDEXED BY {facet.index} "
            f"WHERE {facet.sql} LIMIT {most + 1})"
        )
        counts.append(int(first_value(db, sql, facet.values)))
    fewest = min(counts)
    ordered = [at for at, facet in enumerate(facets) if facet.column is not None]
    at = counts.index(fewest) if fewest <= most or not ordered else ordered[-1]
    return facets[at], counts[at]


def _newest_of_each(db: apsw.Connection, facet: Facet, page: Conditions, limit: int) -> list[int]:
    sql = (
        f"SELECT r.n FROM records AS r INDEXED BY {facet.index} "
        f"WHERE r.{facet.column} = ? AND {page.text} ORDER BY r.n DESC LIMIT ?"
    )
    numbers: list[int] = msgspec.json.decode(facet.values[0])
    found: list[Any] = []
    for number in numbers:
        found += [n for (n,) in all_rows(db, sql, (number, *page.values, limit))]
    return nlargest(limit, found)
