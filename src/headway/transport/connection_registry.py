"""The open connections and connecting tasks of a transport: closing it waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol


class Closable(Protocol):
    def close(self) -> None: ...


class ConnectionRegistry:
    """Connections whose sockets are open, and tasks that are opening more."""

    __slots__ = ("_connections", "_empty", "_tasks")

    def __init__(self) -> None:
        self._connections: set[Closable] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Event | None = None

    def add(self, connection: Closable) -> None:
        self._connections.add(connection)

    def discard(self, connection: Closable) -> None:
        self._connections.discard(connection)
        self._check_empty()

    def start_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def close_all(self) -> None:
        """Close every connection and cancel every task."""
        for connection in list(self._connections):
            connection.close()
        for task in self._tasks:
            task.cancel()

    async def wait_empty(self) -> None:
        """Returns when no connection and no task is left. Call ``close_all`` before."""
        self._empty = asyncio.Event()
        self._check_empty()
        await self._empty.wait()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._check_empty()

    def _check_empty(self) -> None:
        if self._empty is not None and not (self._connections or self._tasks):
            self._empty.set()
