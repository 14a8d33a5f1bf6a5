"""Records as Parquet files, read back with pyarrow."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import asdict, replace

from headway.ledger.parquet import (
    MissingLibraryError,
    ParquetEncoder,
    arrow_schema,
    columns,
    encode_parquet,
    require_pyarrow,
    stream_parquet,
)
from headway.record import LineItem, Record
from support.for_each import for_each
from support.lazy_import import lazy_import

parquet = lazy_import("pyarrow.parquet")

PLAIN = Record("id-1", "request-1", 1_764_000_000.123456, 1_763_999_999.5, "/r", "engine", "ok")
FULL = replace(
    PLAIN,
    status=200,
    stream=True,
    model="é",
    cost_usd="0.000151800000000001",
    cost_computed_usd="0.1",
    price_conditions={"region": "eu", "speed": "fast"},
    latency_s=0.25,
    tags=("team:a", "b"),
    transformations=("renamed stop -> stop_sequences",),
    parameters={"temperature": Raw(b"0.7"), "stop": Raw(b'"x"')},
    line_items=(LineItem("input", "1000", "0.00000015"), LineItem("audio", "2.5", "0.0001")),
    gap_counts=((-1, 2), (900, 10**10)),
    is_drained=True,
)


def read(data: bytes) -> list[dict[str, Any]]:
    return parquet.read_table(io.BytesIO(data)).to_pylist()  # type: ignore[no-any-return]


def row_of(record: Record) -> dict[str, Any]:
    (row,) = read(b"".join(encode_parquet([[record]])))
    return row


def test_every_field_of_a_record_is_a_column_in_its_order() -> None:
    names = [name for name in arrow_schema().names if not name.endswith("_usd_text")]
    assert names == list(Record.__struct_fields__)
    assert arrow_schema().metadata == {b"headway.schema": b"1"}


def test_plain_values_come_back_as_they_are() -> None:
    row, fields = row_of(FULL), asdict(FULL)
    plain = [each.name for each in columns() if each.type in ("string", "bigint", "double")]
    for name in plain:
        if name in fields and name != "parameters":
            assert row[name] == fields[name], name
    assert (row["stream"], row["is_last"], row["is_drained"]) == (True, True, True)


def test_unknown_values_are_null_and_never_zero() -> None:
    row = row_of(PLAIN)
    assert (row["input_tokens"], row["latency_s"], row["cost_usd"], row["stream"]) == (None,) * 4
    assert (row["tags"], row["line_items"], row["price_conditions"]) == ([], [], [])


def test_times_are_microseconds_in_utc() -> None:
    row = row_of(PLAIN)
    assert row["timestamp"].isoformat() == "2025-11-24T16:00:00.123456+00:00"
    assert row["started"].isoformat() == "2025-11-24T15:59:59.500000+00:00"


def test_structures_are_lists_and_structs_and_maps() -> None:
    row = row_of(FULL)
    assert row["tags"] == ["team:a", "b"]
    assert row["transformations"] == ["renamed stop -> stop_sequences"]
    assert row["price_conditions"] == [("region", "eu"), ("speed", "fast")]
    assert row["parameters"] == '{"temperature":0.7,"stop":"x"}'
    assert row["gap_counts"] == [{"bucket": -1, "count": 2}, {"bucket": 900, "count": 10**10}]
    assert row["line_items"] == [
        {
            "kind": kind,
            "quantity": Decimal(quantity),
            "unit_price_usd": Decimal(unit),
            "amount_usd": Decimal(quantity) * Decimal(unit),
        }
        for kind, quantity, unit in [
            ("input", "1000", "0.00000015"),
            ("audio", "2.5", "0.0001"),
        ]
    ]


@for_each(
    "text, amount, beside",
    [
        ("0.000000000000000001", "0.000000000000000001", None),
        ("1E-7", "0.0000001", None),
        ("12.500", "12.5", None),
        ("-0.25", "-0.25", None),
        ("0.0000000000000000016", "0.000000000000000002", "0.0000000000000000016"),
        ("1E+20", None, "1E+20"),
        ("NaN", None, "NaN"),
        ("a lot", None, "a lot"),
    ],
)
def test_an_amount_that_the_column_cannot_hold_is_rounded_and_stands_beside_it_as_text(
    text: str, amount: str | None, beside: str | None
) -> None:
    row = row_of(replace(PLAIN, cost_usd=text, cost_computed_usd=text))
    for name in ("cost_usd", "cost_computed_usd"):
        assert row[name] == (None if amount is None else Decimal(amount))
        assert row[f"{name}_text"] == beside


def test_a_file_without_records_has_the_columns() -> None:
    table = parquet.read_table(io.BytesIO(b"".join(encode_parquet([]))))
    assert (table.num_rows, table.schema) == (0, arrow_schema())


def test_rows_leave_the_encoder_in_groups() -> None:
    encoder = ParquetEncoder(rows_per_group=10)
    chunks = [encoder.add([replace(PLAIN, id=f"{at}")] * 4) for at in range(6)]
    assert [bool(chunk) for chunk in chunks[1:]] == [False, True, False, False, True]
    data = b"".join([*chunks, encoder.finish()])
    assert parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 2
    assert [row["id"] for row in read(data)] == [f"{at // 4}" for at in range(24)]
    assert encoder.rows == 24


def test_pages_are_encoded_beside_the_event_loop() -> None:
    async def pages() -> AsyncIterator[Sequence[Record]]:
        for at in range(3):
            yield [replace(PLAIN, id=f"{at}")]

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in stream_parquet(pages())])

    assert [row["id"] for row in read(asyncio.run(collect()))] == ["0", "1", "2"]


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for needs_it in (require_pyarrow, ParquetEncoder):
        with pytest.raises(MissingLibraryError, match=r"pip install 'headway\[archive\]'"):
            needs_it()
