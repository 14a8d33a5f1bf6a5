"""A call whose response identical ones wait for."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class InFlight(Generic[T]):
    """Create it inside the event loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._begun: asyncio.Future[T | None] = loop.create_future()

    async def begun(self) -> T | None:
        """The response, once it has begun; None once there will be none."""
        return await asyncio.shield(self._begun)

    def set(self, begun: T | None) -> None:
        """The first counts."""
        if not self._begun.done():
            self._begun.set_result(begun)
