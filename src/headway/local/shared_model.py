"""One local model for all workers of a server, without a coordinating process.

The worker that gets a lock on a file starts the model and writes its address into the file; the
other workers read it there. When the owner exits, for any reason, the kernel releases the lock and
the model exits too; the next worker that needs a model takes over.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from headway.ports import Launcher

POLL_S = 0.05
"""Time between two reads of the file while its owner starts the model."""


class SharedModel:
    """A ``ports.Launcher`` around another one. ``path`` is a file that all workers know and that
    only they can write. Each worker creates its ``SharedModel`` after the fork: a lock belongs to
    an open file description (flock(2)), and an inherited one is held by all."""

    def __init__(self, path: Path, inner: Launcher) -> None:
        self._path = path
        self._inner = inner
        self._fd: int | None = None
        self._owns = False
        self._written = b""

    @property
    def owns(self) -> bool:
        """Whether this process runs the model."""
        return self._owns

    async def base_url(self) -> str:
        """The owner's address, as soon as it has one. Raises UpstreamUnreachable with the remedy if
        this process has to start the model and cannot."""
        while not self._acquire():
            if url := self._read():
                return url.decode()
            await asyncio.sleep(POLL_S)
        try:
            url = (await self._inner.base_url()).encode()
        except BaseException:
            self._release()
            raise
        if self._owns and url != self._written:
            self._write(url)
        return url.decode()

    async def close(self) -> None:
        """Stop the model if this process runs it, before another worker may start one."""
        await self._inner.close()
        self._release()
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _acquire(self) -> bool:
        if self._owns:
            return True
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._owns = True
        self._write(b"")  # the previous owner's model is gone
        return True

    def _release(self) -> None:
        if self._owns and self._fd is not None:
            self._write(b"")
            self._owns = False
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd

    def _read(self) -> bytes:
        """The address, or nothing while it is incomplete: a line without its end."""
        line, end, _ = os.pread(self._open(), 4096, 0).partition(b"\n")
        return line if end else b""

    def _write(self, url: bytes) -> None:
        fd = self._open()
        os.ftruncate(fd, 0)
        os.pwrite(fd, url + b"\n", 0)
        self._written = url
