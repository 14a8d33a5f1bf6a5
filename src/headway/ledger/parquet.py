"""Records as Parquet: the schema, and an encoder whose memory does not grow with the file.

The columns are the fields of ``Record``, in its order and with its names and units. docs/ledger.md
has the table of types, which is generated from ``columns``. pyarrow is imported when the first
encoder is created; it is the extra ``archive``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
from msgspec import Struct

from headway.record import LineItem, Record

if TYPE_CHECKING:
    import pyarrow

SCHEMA_VERSION = "1"
"""In the metadata of each file, as ``headway.schema``. It changes when the meaning of a column
does, or its type; columns are only added."""
ROWS_PER_GROUP = 16_384
"""Rows that are compressed together, and held in memory until then."""
DECIMALS = 18
"""Digits after the point of an amount; 20 are before it."""
MISSING = (
    "Parquet needs pyarrow, which is not installed: install Headway with its extra `archive` "
    "(pip install 'headway[archive]')"
)
_LARGEST = Decimal(10) ** (38 - DECIMALS)
_STEP = Decimal(1).scaleb(-DECIMALS)
_MANY_VALUES = frozenset(
    {"id", "request_id", "call_id", "upstream_request_id", "session_id", "reply_id"}
)
"""Columns whose values are mostly different, so that a dictionary of them would be waste."""

AMOUNT = f"decimal(38, {DECIMALS})"
LINE_ITEM = (
    f"struct<kind: string, quantity: {AMOUNT}, unit_price_usd: {AMOUNT}, amount_usd: {AMOUNT}>"
)


class MissingLibraryError(Exception):
    """pyarrow is not installed; the message says how to install it."""


class Column(Struct, frozen=True):
    """One column. ``type`` is written as DuckDB and Spark write it."""

    name: str
    type: str
    read: Callable[[Record], Any]
    """The value of a record, as pyarrow takes it."""


# --- Schema ---------------------------------------------------------------------------------------


@cache
def columns() -> tuple[Column, ...]:
    """All columns, in the order of the file."""
    found = []
    for name, hint in get_type_hints(Record).items():
        special = _SPECIAL.get(name)
        found.append(Column(name, *special) if special else _plain_column(name, str(hint)))
        if name in _AMOUNTS:
            found.append(Column(f"{name}_text", "string", _inexact_reader(name)))
    return tuple(found)


def _plain_column(name: str, hint: str) -> Column:
    for sign, kind in (("Literal", "string"), ("str", "string"), ("bool", "boolean"),
                       ("int", "bigint"), ("float", "double")):  # fmt: skip
        if sign in hint:
            return Column(name, kind, _attribute(name))
    raise TypeError(f"no Parquet type for Record.{name}: {hint}")


def _attribute(name: str) -> Callable[[Record], Any]:
    def read(record: Record) -> Any:
        return getattr(record, name)

    return read


def _amount_reader(name: str) -> Callable[[Record], Decimal | None]:
    def read(record: Record) -> Decimal | None:
        return _amount(getattr(record, name))

    return read


def _inexact_reader(name: str) -> Callable[[Record], str | None]:
    def read(record: Record) -> str | None:
        text: str | None = getattr(record, name)
        amount = _amount(text)
        return text if amount is None or amount != _decimal(text) else None

    return read


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = None if text is None else Decimal(text)
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def _amount(text: str | None) -> Decimal | None:
    """``text`` rounded to ``DECIMALS`` digits; None where it is no number or too large."""
    value = _decimal(text)
    return None if value is None else _fit(value)


def _fit(value: Decimal) -> Decimal | None:
    if abs(value) >= _LARGEST:
        return None
    exponent = value.as_tuple().exponent
    return value.quantize(_STEP) if isinstance(exponent, int) and exponent < -DECIMALS else value


def _line_items(record: Record) -> list[dict[str, Any]]:
    return [_line_item(item) for item in record.line_items]


def _line_item(item: LineItem) -> dict[str, Any]:
    quantity, unit = _decimal(item.quantity), _decimal(item.unit_price_usd)
    return {
        "kind": item.kind,
        "quantity": _amount(item.quantity),
        "unit_price_usd": _amount(item.unit_price_usd),
        "amount_usd": None if quantity is None or unit is None else _fit(quantity * unit),
    }


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)


_AMOUNTS = ("cost_usd", "cost_computed_usd")
"""Decimal numbers as text; ``<name>_text`` has those that ``AMOUNT`` cannot hold exactly."""
_SPECIAL: dict[str, tuple[str, Callable[[Record], Any]]] = {
    "timestamp": ("timestamp with time zone", lambda record: _microseconds(record.timestamp)),
    "started": ("timestamp with time zone", lambda record: _microseconds(record.started)),
    "transformations": ("list<string>", lambda record: list(record.transformations)),
    "tags": ("list<string>", lambda record: list(record.tags)),
    "price_conditions": (
        "map<string, string>",
        lambda record: list(record.price_conditions.items()),
    ),
    "parameters": (
        "string",
        lambda record: msgspec.json.encode(record.parameters).decode(),
    ),
    "line_items": (f"list<{LINE_ITEM}>", _line_items),
    "gap_counts": (
        "list<struct<bucket: int, count: bigint>>",
        lambda record: [{"bucket": bucket, "count": n} for bucket, n in record.gap_counts],
    ),
    **{name: (AMOUNT, _amount_reader(name)) for name in _AMOUNTS},
}


@cache
def arrow_schema() -> pyarrow.Schema:
    """Raises MissingLibraryError."""
    arrow = _import_pyarrow()
    amount = arrow.decimal128(38, DECIMALS)
    item = arrow.struct(
        [
            ("kind", arrow.string()),
            ("quantity", amount),
            ("unit_price_usd", amount),
            ("amount_usd", amount),
        ]
    )
    gap = arrow.struct([("bucket", arrow.int32()), ("count", arrow.int64())])
    types = {
        "string": arrow.string(),
        "boolean": arrow.bool_(),
        "bigint": arrow.int64(),
        "double": arrow.float64(),
        "timestamp with time zone": arrow.timestamp("us", tz="UTC"),
        "list<string>": arrow.list_(arrow.string()),
        "map<string, string>": arrow.map_(arrow.string(), arrow.string()),
        "list<struct<bucket: int, count: bigint>>": arrow.list_(gap),
        AMOUNT: amount,
        f"list<{LINE_ITEM}>": arrow.list_(item),
    }
    fields = [arrow.field(column.name, types[column.type]) for column in columns()]
    return arrow.schema(fields, metadata={"headway.schema": SCHEMA_VERSION})


def require_pyarrow() -> None:
    """Raises MissingLibraryError, before anything is written."""
    _import_pyarrow()


def _import_pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingLibraryError(MISSING) from error
    return pyarrow


# --- Encoding -------------------------------------------------------------------------------------


def record_batch(records: Sequence[Record]) -> pyarrow.RecordBatch:
    """Raises MissingLibraryError."""
    arrow, schema = _import_pyarrow(), arrow_schema()
    arrays = [
        arrow.array([column.read(record) for record in records], type=field.type)
        for column, field in zip(columns(), schema, strict=True)
    ]
    return arrow.RecordBatch.from_arrays(arrays, schema=schema)


class ParquetEncoder:
    """Encodes one file of records. Raises MissingLibraryError when it is created."""

    def __init__(self, rows_per_group: int = ROWS_PER_GROUP) -> None:
        arrow = _import_pyarrow()
        self.rows = 0
        """Records that were added."""
        self._arrow = arrow
        self._rows_per_group = rows_per_group
        self._sink = _Sink()
        self._batches: list[pyarrow.RecordBatch] = []
        self._waiting = 0
        self._writer = arrow.parquet.ParquetWriter(
            arrow.PythonFile(self._sink, mode="w"),
            arrow_schema(),
            compression="zstd",
            use_dictionary=[
                column.name
                for column in columns()
                if column.type == "string" and column.name not in _MANY_VALUES
            ],
        )

    def add(self, records: Sequence[Record]) -> bytes:
        """Encode ``records``, and return the bytes of the file that are complete, perhaps none."""
        if records:
            self.rows += len(records)
            self._waiting += len(records)
            self._batches.append(record_batch(records))
        if self._waiting >= self._rows_per_group:
            self._write_group()
        return self._sink.take()

    def finish(self) -> bytes:
        """The rest of the file. Without records, the file has the schema and no rows."""
        if self._waiting:
            self._write_group()
        self._writer.close()
        return self._sink.take()

    def _write_group(self) -> None:
        batches, self._batches, self._waiting = self._batches, [], 0
        self._writer.write_table(self._arrow.Table.from_batches(batches))


class _Sink:
    """Holds what the writer wrote until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def encode_parquet(pages: Iterable[Sequence[Record]]) -> Iterable[bytes]:
    """The chunks of one Parquet file of all records. Raises MissingLibraryError."""
    encoder = ParquetEncoder()
    for page in pages:
        if chunk := encoder.add(page):
            yield chunk
    yield encoder.finish()


async def stream_parquet(pages: AsyncIterable[Sequence[Record]]) -> AsyncIterator[bytes]:
    """As ``encode_parquet``, in worker threads, so that the event loop goes on. Raises
    MissingLibraryError; ``require_pyarrow`` does so before a response has begun."""
    encoder = ParquetEncoder()
    async for page in pages:
        if chunk := await asyncio.to_thread(encoder.add, page):
            yield chunk
    yield await asyncio.to_thread(encoder.finish)
