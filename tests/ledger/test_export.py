"""Records as a file, page by page."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway.ledger.export import COLUMNS, FORMULA_STARTS, check, csv_rows, export
from headway.ledger.queries import ExportFormat
from headway.ledger.store import Filter, Store
from headway.ledger.stores import new_store
from headway.record import Record, decode
from support.ledger_records import NOON, failed, record


def exported(records: Sequence[Record], kind: ExportFormat, now: float = NOON + 99) -> list[bytes]:
    async def main() -> list[bytes]:
        store: Store = new_store("sqlite:///:memory:")
        await store.open()
        await store.add(records)
        found = [piece async for piece in export(store, Filter(), kind, now, 2)]
        await store.close()
        return found

    return asyncio.run(main())


def row_of(one: Record) -> dict[str, str]:
    (row,) = csv.reader(io.StringIO(csv_rows([one]).decode(), newline=""))
    return dict(zip(COLUMNS, row, strict=True))


def test_every_record_is_in_it_once_the_oldest_first() -> None:
    records = [record(number) for number in range(5)]
    pieces = exported(records[::-1], "jsonl")
    assert [decode(line) for line in b"".join(pieces).splitlines()] == records
    assert len(pieces) == 3


def test_records_of_later_are_left_out_so_that_it_ends() -> None:
    assert len(b"".join(exported([record(1), record(2)], "jsonl", NOON + 2)).splitlines()) == 1


def test_a_csv_has_a_header_also_without_records() -> None:
    assert exported([], "csv") == [",".join(COLUMNS).encode() + b"\r\n"]
    assert b"".join(exported([record(1)], "csv")).count(b"\r\n") == 2


def test_cells_are_plain() -> None:
    row = row_of(record(1, tags=("a", 'b"c'), parameters={"top_p": Raw(b"0.5")}, status=None))
    assert row["tags"] == '["a","b\\"c"]'
    assert row["parameters"] == '{"top_p":0.5}'
    assert (row["stream"], row["is_drained"]) == ("true", "false")
    assert row["status"] == row["transformations"] == row["price_conditions"] == ""
    assert row["timestamp"] == repr(NOON + 1)
    assert row["latency_s"] == "2.0"


def test_a_negative_number_is_no_formula_and_a_text_of_it_is() -> None:
    row = row_of(failed(1, gateway_overhead_s=-0.5, model="-0.5", error_message="@sum(A1)"))
    assert (row["gateway_overhead_s"], row["model"]) == ("-0.5", "'-0.5")
    assert row["error_message"] == "'@sum(A1)"


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))))
def test_no_text_becomes_a_formula_or_breaks_its_row(text: str) -> None:
    cell = row_of(record(1, error_message=text))["error_message"]
    assert not cell.startswith(FORMULA_STARTS)
    assert cell.removeprefix("'") == text or cell == text


def test_parquet_has_all_records() -> None:
    arrow: Any = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    check("parquet")
    pieces = exported([record(number) for number in range(5)], "parquet")
    assert arrow.read_table(io.BytesIO(b"".join(pieces))).num_rows == 5
