"""The files of an archive, in a directory or an S3 bucket: listing them, reading the ids of their
records, adding one. A file is there completely or not at all.

Everything here blocks, and is called in worker threads. Raises OSError for both kinds of place, as
pyarrow does.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from msgspec import Struct

from headway.ledger.parquet import require_pyarrow

if TYPE_CHECKING:
    import pyarrow.fs

HOUR_S = 3600
STALE_S = 3600.0
"""Temporary files that are older were left by a process that died."""
_PART = re.compile(r"date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/part-([0-9a-f]+)-[0-9a-f]+-(\d+)\.parquet$")
_COPY_BYTES = 8 * 1024 * 1024


class DamagedPartError(OSError):
    """A file of the archive is not what was written."""


class Part(Struct, frozen=True):
    """One file: ``date=2026-11-29/hour=13/part-<source>-<digest>-<rows>.parquet``."""

    path: str
    """Below the place of the archive."""
    hour: int
    """Hours since 1970, in UTC."""
    source: str
    """Hex digits that stand for the database whose records these are."""
    rows: int


def part_path(hour: int, source: str, digest: str, rows: int) -> str:
    return f"{day_path(hour)}/hour={hour % 24:02d}/part-{source}-{digest}-{rows}.parquet"


def day_path(hour: int) -> str:
    return f"date={datetime.fromtimestamp(hour * HOUR_S, UTC):%Y-%m-%d}"


def read_part(path: str) -> Part | None:
    """The part at ``path``; None for any other file."""
    found = _PART.search(path)
    if found is None:
        return None
    day = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return Part(found[0], int(day.timestamp()) // HOUR_S + int(found[2]), found[3], int(found[4]))


class Place(Protocol):
    """Where the files are."""

    def parts(self, hour: int) -> Sequence[Part]:
        """All parts of the day that ``hour`` is in."""

    def ids(self, part: Part) -> Iterator[str]:
        """The ids of the records of a part. Raises DamagedPartError."""

    def put(self, path: str, content: IO[bytes]) -> None:
        """Add a file, or replace it. Its directories are created."""


def open_place(address: str) -> Place:
    """An absolute directory, or ``s3://bucket/prefix``. Raises MissingLibraryError and OSError."""
    require_pyarrow()
    return _Bucket(address) if address.startswith("s3://") else _Directory(Path(address))


class _Directory:
    """A directory: files are written under a temporary name, synced to the disk, and renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        if not root.exists():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def parts(self, hour: int) -> Sequence[Part]:
        day = self._root / day_path(hour)
        _remove_stale(day)
        found = (read_part(path.as_posix()) for path in sorted(day.glob("hour=*/part-*.parquet")))
        return [part for part in found if part is not None]

    def ids(self, part: Part) -> Iterator[str]:
        with (self._root / part.path).open("rb") as file:
            yield from _read_ids(part, file)

    def put(self, path: str, content: IO[bytes]) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                shutil.copyfileobj(content, file, _COPY_BYTES)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(target.parent)


class _Bucket:
    """A bucket of S3, or of a server that speaks its protocol: an object exists once its upload is
    complete."""

    def __init__(self, address: str) -> None:
        from pyarrow import fs

        self._files: pyarrow.fs.FileSystem
        self._files, root = fs.FileSystem.from_uri(address)
        self._root = root.rstrip("/")
        self._selector = fs.FileSelector

    def parts(self, hour: int) -> Sequence[Part]:
        folder = f"{self._root}/{day_path(hour)}"
        chosen = self._selector(folder, allow_not_found=True, recursive=True)
        found = (read_part(info.path) for info in self._files.get_file_info(chosen))
        return sorted((part for part in found if part is not None), key=lambda part: part.path)

    def ids(self, part: Part) -> Iterator[str]:
        with self._files.open_input_file(f"{self._root}/{part.path}") as file:
            yield from _read_ids(part, file)

    def put(self, path: str, content: IO[bytes]) -> None:
        name = f"{self._root}/{path}"
        stream = self._files.open_output_stream(name)
        try:
            shutil.copyfileobj(content, stream, _COPY_BYTES)
            stream.close()
        except BaseException:
            # Closing completes the upload, and so does the end of the object: a part of the file
            # must not stay.
            with contextlib.suppress(OSError):
                stream.close()
            with contextlib.suppress(OSError):
                self._files.delete_file(name)
            raise


def _read_ids(part: Part, file: IO[bytes]) -> Iterator[str]:
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(columns=["id"]):
            yield from batch.column(0).to_pylist()
    except ArrowException as error:
        message = f"{part.path} is damaged, remove or replace it: {error}"
        raise DamagedPartError(message) from error


def _remove_stale(day: Path) -> None:
    for path in day.glob("hour=*/.part-*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - STALE_S:
                path.unlink()


def _sync_directory(directory: Path) -> None:
    """So that the new name survives a power failure."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
