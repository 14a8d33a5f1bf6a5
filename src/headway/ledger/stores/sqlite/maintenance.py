"""Retention, and what a database says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from headway.ledger.cubes import FAMILIES, Span
from headway.ledger.segments import join
from headway.ledger.store import Deleted, StoreFacts
from headway.ledger.stores.sqlite.connections import MEMORY
from headway.ledger.stores.sqlite.contents import delete_content
from headway.ledger.stores.sqlite.facets import delete_facets
from headway.ledger.stores.sqlite.numbers import SLACK, limit_number, time_of
from headway.ledger.stores.sqlite.schema import COUNT_BY_HOUR, read_version
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.ledger.stores.sqlite.sums import each_segment, spans_to_read
from headway.ledger.usage_parts import Cell

CHECKED = 1000
"""Records at each end that are looked for in the index."""
RECORDS_AT_ONCE, CONTENTS_AT_ONCE, PAGES_AT_ONCE = 5000, 200, 1000
"""So that others who write wait for milliseconds only."""


def prune(
    db: apsw.Connection, path: str, records_before: float | None, content_before: float | None
) -> Deleted:
    """As ``Store.prune``, in many short transactions."""
    before = size_of(db, path)
    contents = records = 0
    if content_before is not None:
        while deleted := _in_transaction(db, lambda: _delete_contents(db, content_before)):
            contents += deleted
    if records_before is not None:
        while deleted := _in_transaction(db, lambda: _delete_records(db, records_before)):
            records += deleted
    release_pages(db)
    return Deleted(records, contents, max(0, before - size_of(db, path)))


def _in_transaction(db: apsw.Connection, delete: Callable[[], int]) -> int:
    db.execute("BEGIN IMMEDIATE")
    try:
        deleted = delete()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return deleted


def _delete_contents(db: apsw.Connection, before: float) -> int:
    sql = "SELECT id FROM contents WHERE time_us < ? LIMIT ?"
    found = all_rows(db, sql, (before * 1e6, CONTENTS_AT_ONCE))
    for (id_,) in found:
        delete_content(db, id_)
    return len(found)


def _delete_records(db: apsw.Connection, before: float) -> int:
    sql = "SELECT n FROM records WHERE n < ? ORDER BY n LIMIT ?"
    found = all_rows(db, sql, (limit_number(before), RECORDS_AT_ONCE))
    if found:
        last = found[-1]
        delete_facets(db, [n for (n,) in found])
        _count_deleted(db, *last)
        db.execute("DELETE FROM error_texts WHERE rowid <= ?", last)
        db.execute(
            "DELETE FROM feedback WHERE call_id IN "
            "(SELECT ifnull(call_id, id) FROM records WHERE n <= ?)",
            last,
        )
        db.execute("DELETE FROM records WHERE n <= ?", last)
    else:
        db.execute("DELETE FROM sessions WHERE ended_us < ?", (before * 1e6 - SLACK,))
        db.execute("DELETE FROM hours WHERE records = 0")
    return len(found)


def _count_deleted(db: apsw.Connection, last: int) -> None:
    """Take the records up to ``last`` from the numbers of records by hour."""
    db.execute(
        f"UPDATE hours SET records = hours.records - d.records, calls = hours.calls - d.calls "
        f"FROM ({COUNT_BY_HOUR} WHERE r.n <= ? GROUP BY 1) AS d WHERE d.hour = hours.hour",
        (last,),
    )


def release_pages(db: apsw.Connection) -> None:
    """Give free pages back to the file system."""
    while db.pragma("freelist_count"):
        all_rows(db, f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
    db.pragma("wal_checkpoint", "truncate")


def size_of(db: apsw.Connection, path: str) -> int:
    """Bytes on disk, with the log of writes."""
    if path == MEMORY:
        return int(db.pragma("page_count") * db.pragma("page_size"))
    files = [Path(path + suffix) for suffix in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())


def count_by_hour(db: apsw.Connection, since: float | None) -> dict[int, int]:
    """As ``Store.records_by_hour``."""
    first = -(2**63) if since is None else int(since // 3600)
    sql = "SELECT hour, records FROM hours WHERE hour >= ? AND records > 0"
    return dict(all_rows(db, sql, (first,)))


def describe(db: apsw.Connection, path: str) -> StoreFacts:
    def count(sql: str) -> int:
        return int(first_value(db, sql) or 0)

    oldest, newest = (first_value(db, f"SELECT {end}(n) FROM records") for end in ("min", "max"))
    return StoreFacts(
        kind="sqlite",
        place=path,
        version=read_version(db, path),
        records=count("SELECT sum(records) FROM hours"),
        calls=count("SELECT sum(calls) FROM hours"),
        messages=count("SELECT count(*) FROM pieces"),
        bytes=size_of(db, path),
        oldest=None if oldest is None else time_of(oldest) / 1e6,
        newest=None if newest is None else time_of(newest) / 1e6,
    )


def check(db: apsw.Connection) -> Sequence[str]:
    """As ``Store.check``."""
    problems = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    for table, column, referred in _REFERENCES:
        missing = first_value(
            db,
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL "
            f"AND {column} NOT IN (SELECT id FROM {referred})",
        )
        if missing:
            problems.append(f"{missing} rows of {table} refer to {referred} that are missing")
    return problems + _check_facets(db) + _compare_sums(db)


def _check_facets(db: apsw.Connection) -> list[str]:
    """Whether the index has all tokens of the oldest and the newest records, and the number of
    records is that which was counted."""
    problems = []
    for order in ("", "DESC"):
        missing = first_value(db, _WITHOUT_TOKENS.format(order=order), (CHECKED,))
        if missing:
            problems.append(f"{missing} records lack tokens by which filters find them")
    counted = first_value(db, "SELECT sum(records) FROM hours") or 0
    records = first_value(db, "SELECT count(*) FROM records")
    if counted != records:
        problems.append(f"{records} records are there, and {counted} were counted")
    return list(dict.fromkeys(problems))


_WITHOUT_TOKENS = """
SELECT count(*) FROM (SELECT n FROM records ORDER BY n {order} LIMIT ?) AS r
JOIN facet_texts AS t ON t.n = r.n WHERE NOT EXISTS (
  SELECT 1 FROM facets AS f WHERE f.rowid = t.n AND f.facets MATCH replace(t.tokens, ' ', ' AND ')
)"""


def _compare_sums(db: apsw.Connection) -> list[str]:
    """All cubes are sums over the same records; those without histograms were filled later, and
    lack what had been deleted by then."""
    found = {}
    for family in FAMILIES:
        total = Cell()
        for cube, span in spans_to_read(db, family, [Span(family[-1].level, None, None)]):
            for _, segment in each_segment(db, cube, span):
                rows = range(len(segment.names))
                join([segment], (), has_gaps=False).add_to([(total, rows)])
        found[family[-1]] = total.to_usage({}, ())
    first = FAMILIES[0][-1]
    has_all = (first_value(db, "SELECT sum(records) FROM hours") or 0) >= found[first].attempts
    return [
        f"the sums of cube {cube.number} differ from those of cube {first.number}"
        for cube, total in found.items()
        if total != found[first] and (cube.has_metrics or has_all)
    ]


_REFERENCES = (
    ("records", "profile", "profiles"),
    ("records", "terms", "terms"),
    ("records", "user", "names"),
    ("records", "parameters", "names"),
    ("records", "tags", "tag_sets"),
    ("records", "session", "sessions"),
    ("tags", "tag_set", "tag_sets"),
    ("content_nodes", "node", "nodes"),
    ("content_nodes", "content", "contents"),
    ("aliases", "content", "contents"),
    ("nodes", "parent", "nodes"),
    ("nodes", "piece", "pieces"),
)
