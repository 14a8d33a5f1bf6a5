"""``headway export``: the records of all attempts as a file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.errors import ERROR_REPLY, CommandError, usage_error
from headway.cli.filter_options import Pairs, read_query, takes_filters
from headway.cli.ledger_access import Ledger, use_ledger
from headway.cli.options import ConfigPath

if TYPE_CHECKING:
    from headway.ledger.queries import Query

STDOUT = "-"
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""By the ending of the file's name."""


@takes_filters
def export(
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, jsonl or parquet. Without it: what the file's name ends with, or jsonl.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file; - is stdout."),
    ] = STDOUT,
    config: ConfigPath = None,
    *,
    filters: Pairs,
) -> None:
    """Write the records of all attempts, the oldest first, as docs/ledger.md describes them.

    Takes as little memory for a million records as for ten.

    Examples:

        headway export -o november.csv --since 2026-11-01 --until 2026-12-01
        headway export -o calls.parquet --model gpt-4.1
        headway export --since 1h | jq .cost_usd
    """
    chosen = format_ or FORMATS.get(Path(output).suffix.lower(), "jsonl")
    query = read_query(filters, [("format", chosen)])
    if query.format == "parquet" and output == STDOUT and sys.stdout.isatty():
        raise usage_error("parquet is not for a terminal", "name a file with -o")

    async def work(ledger: Ledger) -> None:
        if output == STDOUT:
            await _write(ledger, query, _write_to_stdout)
        else:
            await _write_file(ledger, query, Path(output))

    use_ledger(config, work)


async def _write_file(ledger: Ledger, query: Query, path: Path) -> None:
    """The file appears when it is complete."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file, terminal.waiting(f"writing {path}"):
            await _write(ledger, query, file.write)
            size = file.tell()
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(f"{path} cannot be written: {reason}", code=ERROR_REPLY) from error
    finally:
        draft.unlink(missing_ok=True)
    terminal.note(f"{path}: {numbers.size(size)}")


async def _write(ledger: Ledger, query: Query, write: Callable[[bytes], object]) -> None:
    from headway.ledger import export as exporting
    from headway.ledger.parquet import MissingLibraryError

    try:
        exporting.check(query.format)
    except MissingLibraryError as error:
        raise usage_error(str(error)) from error
    async for piece in exporting.export(ledger.store, query.where, query.format, time.time()):
        write(piece)


def _write_to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
