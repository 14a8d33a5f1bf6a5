"""A ledger with the records of a gateway in use, up to now, for pages that show many."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from bench.ledger import BATCH, as_spooled
from bench.ledger_records import START, generate_records
from msgspec.structs import replace

from headway.ledger.spool_reader import Lines
from headway.ledger.stores import new_store
from headway.record import encode

DAY_S = 86400.0


def fill(path: Path, count: int, days: float) -> None:
    """Write ``count`` records of the last ``days`` to the SQLite file. In a thread: the browser's
    driver has an event loop in the tests' own."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_fill(path, count, days * DAY_S))).result()


async def _fill(path: Path, count: int, span_s: float) -> None:
    move = time.time() - (START + span_s)
    store = new_store(f"sqlite:///{path}")
    await store.open()
    records = (
        replace(record, timestamp=record.timestamp + move, started=record.started + move)
        for record in generate_records(count, span_s=span_s)
    )
    while lines := [encode(as_spooled(record)) for record in islice(records, BATCH)]:
        await store.add(Lines(lines))
    await store.close()
