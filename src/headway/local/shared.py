"""One local model for all workers of a server, without anybody to ask for it.

Whoever gets the lock on a file starts the model and writes its address into that file; the others
read it there. The lock goes with the process that holds it, however that ends, and the model goes
with it too: then the next one that needs a model takes over.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from headway.ports import Launcher

POLL_S = 0.05
"""How often the file is looked at while its owner starts the model."""


class SharedModel:
    """A ``ports.Launcher`` over another. ``path`` is a file that all workers know and nobody else
    can write; each worker makes its own ``SharedModel``, after it was forked: a lock belongs to an
    open file (flock(2)), and one that is inherited is held by all."""

    def __init__(self, path: Path, inner: Launcher) -> None:
        self._path = path
        self._inner = inner
        self._fd: int | None = None
        self._owns = False
        self._written = b""

    @property
    def owns(self) -> bool:
        """Whether the model is this process's own."""
        return self._owns

    async def base_url(self) -> str:
        """The owner's, as soon as there is one. Raises UpstreamUnreachable with the remedy if this
        process had to start the model and could not."""
        while not self._take():
            if url := self._read():
                return url.decode()
            await asyncio.sleep(POLL_S)
        try:
            url = (await self._inner.base_url()).encode()
        except BaseException:
            self._give_back()
            raise
        if self._owns and url != self._written:
            self._write(url)
        return url.decode()

    async def close(self) -> None:
        """Ends the model, if it is this process's own, before another may start one."""
        await self._inner.close()
        self._give_back()
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _take(self) -> bool:
        if self._owns:
            return True
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._owns = True
        self._write(b"")  # the last owner's model is gone
        return True

    def _give_back(self) -> None:
        if self._owns and self._fd is not None:
            self._write(b"")
            self._owns = False
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd

    def _read(self) -> bytes:
        """Whole lines only: an address without its end is still being written."""
        line, end, _ = os.pread(self._open(), 4096, 0).partition(b"\n")
        return line if end else b""

    def _write(self, url: bytes) -> None:
        fd = self._open()
        os.ftruncate(fd, 0)
        os.pwrite(fd, url + b"\n", 0)
        self._written = url
