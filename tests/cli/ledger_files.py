"""A ledger on disk for the commands that read it, with its configuration."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from headway.ledger.spool import FileSpool
from headway.record import Entry, LineItem, Record, encode
from support.ledger_stores import make_record

CONFIG = """\
ledger: {{url: 'sqlite:///{folder}/ledger.db', spool: '{folder}/spool', content: full}}
prices: {{echo: {{echo: {{input: 2, output: 8}}}}}}
"""
SPOOL = "spool"


def write_config(folder: Path, url: str | None = None) -> Path:
    """``url`` is that of the ledger; by default an SQLite file in ``folder``."""
    file = folder / "headway.yaml"
    text = CONFIG.format(folder=folder)
    file.write_text(text.replace(f"sqlite:///{folder}/ledger.db", url) if url else text)
    return file


def spool(folder: Path, entries: Sequence[Entry]) -> None:
    """Write ``entries`` as a gateway does that has stopped before they were stored."""
    files = FileSpool(folder / SPOOL)
    for entry in entries:
        files.append(encode(entry))
    files.close()


def recent(number: int, age: float, **fields: Any) -> Record:
    """A call that ended ``age`` seconds ago."""
    ended = time.time() - age
    return replace(make_record(number), timestamp=ended, started=ended - 0.5, **fields)


def billed(record: Record) -> Record:
    """With a bill of three lines."""
    items = (
        LineItem("input", "800", "0.000002"),
        LineItem("cache_read", "200", "0.0000005"),
        LineItem("output", "200", "0.000008"),
    )
    total = sum((Decimal(one.quantity) * Decimal(one.unit_price_usd) for one in items), Decimal(0))
    return replace(record, line_items=items, cost_usd=f"{total:f}")
