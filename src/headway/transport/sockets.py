"""What a transport has open: so that closing it can wait until nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from headway.transport.connection import Connection


class Sockets:
    """Connections whose sockets are open, and tasks that open more."""

    __slots__ = ("_connections", "_gone", "_tasks")

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone: asyncio.Event | None = None

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)

    def discard(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._tell()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def all_gone(self) -> None:
        """Returns when no socket and no task is left. Whoever calls has closed them."""
        self._gone = asyncio.Event()
        self._tell()
        await self._gone.wait()

    def close(self) -> None:
        for connection in list(self._connections):
            connection.close()
        for task in self._tasks:
            task.cancel()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._tell()

    def _tell(self) -> None:
        if self._gone is not None and not (self._connections or self._tasks):
            self._gone.set()
