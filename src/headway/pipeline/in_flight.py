"""A call whose response identical ones wait for."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class InFlight(Generic[T]):
    """Create it inside the event loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T | None] = loop.create_future()

    async def response(self) -> T | None:
        """The response, once it has begun; None once there will be none."""
        return await asyncio.shield(self._future)

    def set(self, response: T | None) -> None:
        """The first counts."""
        if not self._future.done():
            self._future.set_result(response)
