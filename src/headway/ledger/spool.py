"""The spool: an append-only file of records, one line of JSON each.

Guarantee: a line that ``append`` accepted was passed to the kernel completely, in one ``write``. It
survives ``kill -9`` of any process; it is not synced, so a power failure or a crash of the kernel
may lose the last seconds. Several processes may append to one file: POSIX makes an O_APPEND write
atomic with respect to the file offset (write(2)), and on a local file system Linux does not
interleave two writes.

A reader must accept an empty line, and a torn one (a full disk, a kill during a write). A torn line
never damages the next one, because the next writer starts a new line.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from time import monotonic

from headway.types import Clock

SUFFIX = ".spool.jsonl"
CHECK_INTERVAL_S = 1.0
"""Time for which lines may still be written to a file that was moved (they are kept there) or
deleted (they are lost)."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_log = logging.getLogger("headway.ledger")


def spool_path(ledger_url: str) -> str:
    """The spool next to the ledger: ``/var/h.db.spool.jsonl`` for ``sqlite:////var/h.db``.

    Raises ValueError for a URL without a path."""
    scheme, _, path = ledger_url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ValueError("a ledger's URL is sqlite:///path")
    return path + SUFFIX


class FileSpool:
    """Appends lines to ``path``, which is created if necessary, readable by its owner only.

    ``append`` does not raise for disk errors: a response that was paid for must still reach the
    client. Lines that could not be written are counted in ``failures`` and reported in the log
    once, and once more when writing works again.
    """

    def __init__(self, path: str | os.PathLike[str], clock: Clock = monotonic) -> None:
        self.path = os.fspath(path)
        self.failures = 0
        """Number of lost lines."""
        self._clock = clock
        self._fd: int | None = None
        self._identity: tuple[int, int] | None = None
        self._check_at = 0.0
        self._trusted_until = 0.0
        """Until this time of the clock, the open file is assumed to be the one at ``path``, and the
        last write to have succeeded."""
        self._is_torn = False
        self._lost_since = 0
        self._is_failing = False
        self._is_closed = False

    def open(self) -> None:
        """Open the file now, so that a wrong path fails at the start. Raises OSError."""
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
                self._is_torn = written > 0
                self._repeat(self._fd, line)  # type: ignore[arg-type]
        except OSError as error:
            self._on_failure(error.strerror or str(error))

    def reopen(self) -> int:
        """Open ``path`` again if it is not the file that is open, and return the descriptor. Raises
        OSError."""
        if self._fd is not None and self._is_same():
            return self._fd
        self._release()
        return self._open()

    def close(self) -> None:
        """Idempotent. Lines that are appended later are counted as lost."""
        self._is_closed = True
        self._release()

    def _append_checked(self, line: bytes) -> None:
        if self._is_closed:
            self._on_failure("the spool is closed")
            return
        try:
            fd = self._current()
            if not self._write(fd, b"\n" + line if self._is_torn else line):
                self._repeat(fd, line)
        except OSError as error:
            self._on_failure(error.strerror or str(error))
            return
        if self._is_failing:
            self._on_recovery()
        self._trusted_until = self._check_at

    def _repeat(self, fd: int, line: bytes) -> None:
        """After a short write, write the whole line again on a new line. Never its rest: another
        process may have written in between."""
        if not self._write(fd, b"\n" + line):
            raise OSError("the disk took only a part of a record")

    def _current(self) -> int:
        now = self._clock()
        if self._fd is not None and now < self._check_at:
            return self._fd
        self._check_at = now + CHECK_INTERVAL_S
        return self.reopen()

    def _write(self, fd: int, data: bytes) -> bool:
        """Write once, and return whether all of ``data`` was written. Python itself repeats a write
        that a signal interrupted (PEP 475)."""
        written = os.write(fd, data)
        if written:
            self._is_torn = written < len(data)
        return written == len(data)

    def _open(self) -> int:
        _make_private(Path(self.path).parent)
        fd = self._fd = os.open(self.path, _FLAGS, 0o600)
        status = os.fstat(fd)
        self._identity = status.st_dev, status.st_ino
        self._check_at = self._clock() + CHECK_INTERVAL_S
        self._is_torn = _ends_torn(fd, status.st_size)
        return fd

    def _is_same(self) -> bool:
        try:
            status = os.stat(self.path)  # noqa: PTH116  half the time of Path.stat
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _release(self) -> None:
        self._trusted_until = 0.0
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _on_failure(self, reason: str) -> None:
        self._trusted_until = 0.0
        self.failures += 1
        self._lost_since += 1
        if not self._is_failing:
            self._is_failing = True
            _log.error(
                "records are being lost: cannot append to %s: %s; free space or fix its "
                "permissions, and writing continues by itself",
                self.path,
                reason,
            )

    def _on_recovery(self) -> None:
        _log.warning("records are written again to %s; %d were lost", self.path, self._lost_since)
        self._is_failing = False
        self._lost_since = 0


def _make_private(directory: Path) -> None:
    """Create missing directories for the owner only; mkdir's ``parents`` ignores the mode."""
    for missing in reversed(
        [each for each in (directory, *directory.parents) if not each.exists()]
    ):
        missing.mkdir(mode=0o700, exist_ok=True)


def _ends_torn(fd: int, size: int) -> bool:
    """Whether the last line of the file is incomplete."""
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"
