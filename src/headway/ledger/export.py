"""Records as CSV, as lines of JSON or as Parquet, page by page: the memory does not grow with their
number."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.ledger.parquet import require_pyarrow, stream_parquet
from headway.ledger.queries import ExportFormat
from headway.ledger.store import MAX_LIMIT, Filter, Store
from headway.record import Record, encode

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS: tuple[str, ...] = Record.__struct_fields__
"""Of the CSV. Lists and objects are JSON."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet compute a cell (OWASP, "CSV Injection")."""


def check(kind: ExportFormat) -> None:
    """Raises MissingLibraryError for a format whose library is not installed."""
    if kind == "parquet":
        require_pyarrow()


async def export(
    store: Store, where: Filter, kind: ExportFormat, now: float, page: int = MAX_LIMIT
) -> AsyncGenerator[bytes, None]:
    """The records of the attempts that ``where`` selects, the oldest first, as pieces of a file.
    Those that end after ``now``, in Unix seconds, are not among them, so that an export comes to
    its end. Raises StoreError and MissingLibraryError."""
    pages = _pages(store, where if where.until is not None else replace(where, until=now), page)
    if kind == "parquet":
        async for piece in stream_parquet(pages):
            yield piece
        return
    if kind == "csv":
        yield _csv([COLUMNS])
    async for records in pages:
        yield csv_rows(records) if kind == "csv" else b"".join(map(encode, records))


async def _pages(store: Store, where: Filter, limit: int) -> AsyncIterator[Sequence[Record]]:
    cursor: str | None = None
    while True:
        records, cursor = await store.attempts(where, limit=limit, cursor=cursor)
        if records:
            yield records
        if cursor is None:
            return


def csv_rows(records: Sequence[Record]) -> bytes:
    return _csv([[_cell(getattr(record, name)) for name in COLUMNS] for record in records])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """As RFC 4180 has it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    """Unknown is empty. A text that a spreadsheet would compute begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if text in ("[]", "{}"):
        return ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
