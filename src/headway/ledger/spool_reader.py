"""Reading a spool directory: whole lines from an offset, and which files are complete."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from headway.ledger.spool import OLD_SUFFIX, list_files
from headway.record import Entry, decode_shipped

LOCK_NAME = "shipper.lock"
OLD_FILE_REST_S = 60.0
"""Age of the last line of an old file after which no process writes to it unseen."""
UNFINISHED_SUFFIX = ".new"


class SpoolFile(Struct, frozen=True):
    """A file of the spool, as it was when it was listed."""

    path: str
    name: str
    """The name under which the database keeps its position."""
    size: int
    modified: float
    """Unix seconds."""


class Lines:
    """The entries of whole lines, which are decoded while somebody iterates over them, so that only
    few are in memory at once. Iterating raises one of ``NO_ENTRY`` for a line that is none."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Entry]:
        return map(decode_shipped, self.lines)

    def separate(self) -> tuple[list[Entry], list[bytes]]:
        """All entries, and the lines that are none: torn ones, or those of another version."""
        entries, rejected = [], []
        for line in self.lines:
            try:
                entries.append(decode_shipped(line))
            except NO_ENTRY:
                rejected.append(line)
        return entries, rejected


NO_ENTRY = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for lines that cannot be entries; the last for lists in too many lists."""


class SpoolFacts(Struct, frozen=True):
    """What ``headway db`` and ``/health`` show of a spool."""

    files: int
    bytes: int
    unstored_bytes: int
    oldest: float | None
    """Unix seconds of the beginning of the oldest file with lines that are not stored."""


def find_files(directory: str, old_file: str | None = None) -> list[SpoolFile]:
    """The files, the oldest first; ``old_file`` is that of an earlier version."""
    found = []
    if old_file is not None:
        with suppress(OSError):
            status = os.stat(old_file)  # noqa: PTH116 - paths are strings here
            name = f"{os.path.basename(old_file)}#{status.st_ino}"  # noqa: PTH119
            found.append(SpoolFile(old_file, name, status.st_size, status.st_mtime))
    files = []
    for entry in list_files(directory):
        with suppress(FileNotFoundError):
            status = entry.stat()
            files.append(SpoolFile(entry.path, entry.name, status.st_size, status.st_mtime))
    return [*found, *sorted(files, key=lambda each: each.name)]


def read_lines(file: SpoolFile, offset: int, size: int) -> tuple[list[bytes], int]:
    """Whole lines from ``offset``, about ``size`` bytes of them or one longer line, and the offset
    behind them. Raises OSError."""
    with open(file.path, "rb") as opened:  # noqa: PTH123 - as above
        opened.seek(offset)
        data = opened.read(size)
        if len(data) == size and b"\n" not in data:
            data += opened.readline()
    end = data.rfind(b"\n") + 1
    return [line for line in data[:end].split(b"\n") if line], offset + end


def read_rest(file: SpoolFile, offset: int) -> bytes:
    """What is behind the last whole line. Raises OSError."""
    with open(file.path, "rb") as opened:  # noqa: PTH123
        opened.seek(offset)
        return opened.read()


@contextmanager
def locked(path: str) -> Iterator[int | None]:
    """The size of a file that nobody writes, which stays locked meanwhile; None for one that
    somebody writes, or that is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield os.fstat(fd).st_size
    finally:
        os.close(fd)


def is_old_format(file: SpoolFile) -> bool:
    return file.path.endswith(OLD_SUFFIX)


def may_delete(file: SpoolFile, size: int, now: float) -> bool:
    """Whether a file of which ``size`` bytes are stored can go. Earlier versions hold no lock, but
    look whether their file is still there before they write to it after a pause."""
    return size == file.size and (not is_old_format(file) or now >= file.modified + OLD_FILE_REST_S)


def delete_unfinished(directory: str) -> None:
    """Delete what a crash left while a file was being created."""
    for path in Path(directory).glob(f"*{UNFINISHED_SUFFIX}"):
        with locked(str(path)) as size:
            if size == 0:
                path.unlink(missing_ok=True)


class ShipperLock:
    """The lock of the one process that ships a spool. Lines of a spool are stored in order, by one
    process at a time."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory) / LOCK_NAME
        self._fd: int | None = None

    def take(self) -> bool:
        """Returns whether this process has the lock now. Raises OSError for a directory that
        cannot be written."""
        if self._fd is not None:
            return True
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, b"%d\n" % os.getpid())
        self._fd = fd
        return True

    def release(self) -> None:
        """Idempotent."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def is_shipper_running(directory: str) -> bool:
    """Whether a process ships this spool."""
    with locked(str(Path(directory) / LOCK_NAME)) as size:
        return size is None and (Path(directory) / LOCK_NAME).exists()


def describe_spool(
    directory: str, positions: Mapping[str, int], old_file: str | None = None
) -> SpoolFacts:
    """``positions`` are those of the database."""
    files = find_files(directory, old_file)
    rests = [(each, max(0, each.size - positions.get(each.name, 0))) for each in files]
    waiting = [_started(each) for each, rest in rests if rest]
    return SpoolFacts(
        len(files),
        sum(each.size for each in files),
        sum(rest for _, rest in rests),
        min(waiting, default=None),
    )


def count_unstored_lines(
    directory: str, positions: Mapping[str, int], old_file: str | None = None
) -> int:
    """Lines that are not in the database yet. Reads them all."""
    count = 0
    for file in find_files(directory, old_file):
        with suppress(FileNotFoundError), open(file.path, "rb") as opened:  # noqa: PTH123
            opened.seek(positions.get(file.name, 0))
            count += sum(1 for line in opened if line.endswith(b"\n") and line != b"\n")
    return count


def _started(file: SpoolFile) -> float:
    """When the file was begun."""
    first, _, _ = file.name.partition("-")
    return int(first) / 1000 if first.isdecimal() else min(file.modified, time.time())
