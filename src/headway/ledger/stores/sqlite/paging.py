"""The numbers of the newest records that fulfil conditions."""

from __future__ import annotations

import apsw

from headway.ledger.stores.sqlite.filters import Conditions
from headway.ledger.stores.sqlite.sql import all_rows


def find_newest(
    db: apsw.Connection, conditions: Conditions, limit: int, before: int | None = None
) -> list[int]:
    """Up to ``limit`` numbers below ``before``, the highest first."""
    page = conditions.copy()
    if before is not None:
        page.add(f"{page.number} < ?", before)
    sql = f"SELECT r.n FROM {page.source} WHERE {page.text} ORDER BY {page.number} DESC LIMIT ?"
    return [n for (n,) in all_rows(db, sql, (*page.values, limit))]
