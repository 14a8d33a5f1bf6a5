"""The spool: a directory of append-only files of records, one line of JSON each, until the shipper
has stored them in the database.

Each process writes a file of its own, ``<unix milliseconds>-<process id>-<random>.jsonl``, holds an
exclusive flock(2) on it, and begins another one when it is large or old. A file without a lock is
complete: its writer has rotated it, or is gone.

Guarantee: a line that ``append`` accepted was passed to the kernel completely, in one ``write``. It
survives ``kill -9`` of any process; whether it survives a power failure depends on ``fsync``.

A reader must accept an empty line, and a torn one (a full disk, a kill during a write). A torn line
never damages the next one, because the next one starts on a new line.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Literal

from headway.types import Clock

Fsync = Literal["off", "interval", "always"]
FILE_NAME = re.compile(r"\d+-\d+-[0-9a-f]+\.jsonl")
OLD_SUFFIX = ".spool.jsonl"
"""Of the single file that earlier versions wrote next to the SQLite database."""
CHECK_INTERVAL_S = 1.0
"""Time for which lines may still be written to a file that was moved or deleted (they are lost)."""
ROTATION_BYTES = 64 * 2**20
ROTATION_S = 3600.0
LEAST_ROTATIONS = 8
"""Files that fit into the limit of the spool, so that it can shrink before it is full."""
HELD_BYTES = 16 * 2**20
"""Lines that are held in memory while they cannot be written."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_log = logging.getLogger("headway.ledger")


def find_old_file(ledger_url: str) -> str | None:
    """Where earlier versions spooled: ``/var/h.db.spool.jsonl`` for ``sqlite:////var/h.db``."""
    scheme, _, path = ledger_url.partition(":///")
    return path + OLD_SUFFIX if scheme == "sqlite" and path else None


def list_files(directory: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """The spool's files, in any order; none if there is no such directory."""
    try:
        with os.scandir(directory) as entries:
            yield from (entry for entry in entries if FILE_NAME.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return


def measure(directory: str | os.PathLike[str]) -> int:
    """Bytes of the spool's files."""
    total = 0
    for entry in list_files(directory):
        try:
            total += entry.stat().st_size
        except FileNotFoundError:  # the shipper deleted it meanwhile
            continue
    return total


class SpoolFullError(OSError):
    """The spool has reached its limit."""


class FileSpool:
    """Appends lines to a file of this process in ``directory``; both are created if necessary, for
    their owner only. For one thread.

    ``append`` does not raise for disk errors: a response that was paid for must still reach the
    client. Lines that cannot be written are held in memory, up to ``HELD_BYTES``, and written when
    that works again; further ones are lost and counted. The log says so once, and once more when
    writing works again.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        fsync: Fsync = "off",
        limit: int | None = None,
        clock: Clock = monotonic,
        unix_time: Clock = time.time,
    ) -> None:
        """``limit`` is the size in bytes of all files of the directory, by all processes, from
        which on nothing is written."""
        self.directory = os.fspath(directory)
        self.path: str | None = None
        """The open file."""
        self.lost = 0
        """Number of lost lines."""
        self.problem: str | None = None
        """Why lines cannot be written; None while they can."""
        self.failing_since: float | None = None
        """Unix seconds."""
        self.on_change: Callable[[bool], None] = lambda is_failing: None
        """Called with True when lines cannot be written any more, with False when they can."""
        self._is_synced = fsync == "always"
        self._limit = limit
        self._rotation_bytes = ROTATION_BYTES
        if limit is not None:
            self._rotation_bytes = min(ROTATION_BYTES, limit // LEAST_ROTATIONS)
        self._clock = clock
        self._unix_time = unix_time
        self._fd: int | None = None
        self._identity: tuple[int, int] | None = None
        self._opened_at = 0.0
        self._check_at = 0.0
        self._trusted_until = 0.0
        """Until this time of the clock, the open file is assumed to be the one at ``path``, and the
        last write to have succeeded."""
        self._full: SpoolFullError | None = None
        self._synced_bytes = 0
        self._is_torn = False
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._held_most = 0
        self._lost_since = 0
        self._is_closed = False

    @property
    def held(self) -> int:
        """Number of lines that are held in memory."""
        return len(self._held)

    def open(self) -> None:
        """Open a file now, so that a wrong path fails at the start. Raises OSError."""
        if self._fd is None:
            self._open()

    def append(self, line: bytes) -> None:
        """Write one line, newline included."""
        if self._clock() >= self._trusted_until:
            self._append_checked(line)
            return
        try:
            written = os.write(self._fd, line)  # type: ignore[arg-type] # trusted, so open
            if written != len(line):
                self._is_torn = True
                self._write_all(self._fd, line[written:], is_rest=True)  # type: ignore[arg-type]
        except OSError as error:
            self._on_failure(line, error)

    def maintain(self) -> None:
        """To be called each second: retry what could not be written, and begin a new file when the
        open one is large, old, moved or deleted, also while nothing is written."""
        if self._is_closed:
            return
        if self.problem is not None:
            self._append_checked(b"")
        elif self._fd is not None and self._clock() >= self._check_at:
            try:
                self._check_file()
            except OSError as error:
                self._fail(error)

    def take_unsynced(self) -> int | None:
        """A duplicate of the file's descriptor if lines were written since the last call, for a
        thread that calls ``sync``."""
        if self._fd is None:
            return None
        size = os.fstat(self._fd).st_size
        if size == self._synced_bytes:
            return None
        self._synced_bytes = size
        return os.dup(self._fd)

    def close(self) -> None:
        """Idempotent. Lines that are appended later are counted as lost."""
        if not self._is_closed and self._held:
            self._append_checked(b"")
        self._is_closed = True
        if self._held:
            self._lost_since += len(self._held)
            self.lost += len(self._held)
            _log.error("%d records were lost: %s", self._lost_since, self.problem)
            self._held.clear()
        self._release()

    # --- Writing ----------------------------------------------------------------------------------

    def _append_checked(self, line: bytes) -> None:
        if self._is_closed:
            self.lost += 1
            return
        try:
            fd = self._current()
            if self._held:
                self._write_held(fd)
            # An empty line shows whether writing works again.
            self._write_all(fd, line or (b"\n" if self.problem is not None else b""))
            if self._is_synced:
                os.fdatasync(fd)
        except OSError as error:
            self._on_failure(line, error)
            return
        if self.problem is not None:
            self._on_recovery()
        self._trusted_until = 0.0 if self._is_synced else self._check_at

    def _write_all(self, fd: int, data: bytes, *, is_rest: bool = False) -> int:
        """Write ``data``, on a new line if the last one is torn and this is not its rest. No other
        process writes to the file, so what a short write left follows it. Python itself repeats a
        write that a signal interrupted (PEP 475). Returns the number of bytes."""
        if self._is_torn and not is_rest:
            os.write(fd, b"\n")
            self._is_torn = False
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:] if at else data)
            self._is_torn = at < len(data)
        return at

    def _write_held(self, fd: int) -> None:
        """Write the lines that were held, in pieces of about a megabyte."""
        while self._held:
            count = size = 0
            while count < len(self._held) and (not count or size < 2**20):
                size += len(self._held[count])
                count += 1
            self._write_all(fd, b"".join(self._held[:count]))
            del self._held[:count]
            self._held_bytes -= size

    # --- The file ---------------------------------------------------------------------------------

    def _current(self) -> int:
        """The descriptor to write to. Raises OSError."""
        if self._clock() >= self._check_at:
            self._check_file()
        elif self._full is not None:
            raise self._full
        return self._open() if self._fd is None else self._fd

    def _check_file(self) -> None:
        """Close the open file if it was moved or deleted, is large or old, or the spool is full.
        Raises OSError."""
        self._check_at = self._clock() + CHECK_INTERVAL_S
        if self._fd is not None and (not self._is_same() or self._is_finished(self._fd)):
            self._release()
        self._full = None
        if self._limit is not None and (size := measure(self.directory)) >= self._limit:
            self._release()  # or the shipper could never delete it
            reason = f"it has {size} bytes, and ledger.spool_limit is {self._limit}"
            self._full = SpoolFullError(errno.EDQUOT, reason)
            raise self._full

    def _is_finished(self, fd: int) -> bool:
        size = os.fstat(fd).st_size
        is_old = self._clock() >= self._opened_at + ROTATION_S
        return size >= self._rotation_bytes or (is_old and size > 0)

    def _open(self) -> int:
        """Create a file under another name, lock it, and give it its name: a file of the spool
        without a lock has no writer."""
        make_private(Path(self.directory))
        for _ in range(10):
            name = f"{int(self._unix_time() * 1000)}-{os.getpid()}-{os.urandom(4).hex()}"
            path = f"{self.directory}/{name}.jsonl"
            fd = os.open(path + ".new", _FLAGS, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                os.rename(path + ".new", path)  # noqa: PTH104 - paths are strings here
                break
            except FileNotFoundError:  # the shipper took it for one that a crash left
                os.close(fd)
            except OSError:
                os.close(fd)
                raise
        else:
            raise FileNotFoundError(2, "the new files disappear at once")
        self._fd, self.path = fd, path
        status = os.fstat(fd)
        self._identity = status.st_dev, status.st_ino
        self._opened_at = self._clock()
        self._check_at = self._opened_at + CHECK_INTERVAL_S
        self._synced_bytes = 0
        self._is_torn = False
        if self._is_synced:
            sync_directory(self.directory)
        return fd

    def _is_same(self) -> bool:
        try:
            status = os.stat(self.path)  # type: ignore[arg-type] # noqa: PTH116 - half the time
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _release(self) -> None:
        """Close the file, and delete it if nothing was written."""
        self._trusted_until = 0.0
        fd, self._fd = self._fd, None
        if fd is None:
            return
        try:
            if os.fstat(fd).st_size == 0 and self._is_same():
                os.unlink(self.path)  # type: ignore[arg-type] # noqa: PTH108
        except OSError:  # the shipper deletes it
            pass
        finally:
            os.close(fd)

    # --- Failure and recovery ---------------------------------------------------------------------

    def _on_failure(self, line: bytes, error: OSError) -> None:
        if not line:
            pass
        elif self._held_bytes + len(line) <= HELD_BYTES:
            self._held.append(line)
            self._held_bytes += len(line)
            self._held_most = max(self._held_most, len(self._held))
        else:
            self.lost += 1
            self._lost_since += 1
        self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Where there is no space, the shipper may make some by deleting the file."""
        self._trusted_until = 0.0
        if error.errno in NO_SPACE:
            self._release()
        is_new = self.problem is None
        self.problem = error.strerror or str(error)
        if is_new:
            self.failing_since = self._unix_time()
            _log.error(
                "records cannot be written to %s: %s; up to %d MiB of them are held in memory, "
                "further ones are lost; free space or fix its permissions, and writing continues "
                "by itself",
                self.directory,
                self.problem,
                HELD_BYTES >> 20,
            )
            self.on_change(True)

    def _on_recovery(self) -> None:
        _log.warning(
            "records are written again to %s; %d were held in memory, %d were lost",
            self.directory,
            self._held_most,
            self._lost_since,
        )
        self.problem = self.failing_since = None
        self._held_most = self._lost_since = 0
        self.on_change(False)


def sync(fd: int) -> None:
    """Force a file to the disk, and close the descriptor. Raises OSError."""
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def sync_directory(path: str) -> None:
    """Force the names of new files to the disk. Raises OSError."""
    sync(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def make_private(directory: Path) -> None:
    """Create missing directories for the owner only; mkdir's ``parents`` ignores the mode."""
    for missing in reversed(
        [each for each in (directory, *directory.parents) if not each.exists()]
    ):
        missing.mkdir(mode=0o700, exist_ok=True)
