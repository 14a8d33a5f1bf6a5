"""How a connection's flow is controlled: uvicorn's way, with patience where that has none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.http.flow_control import FlowControl

if TYPE_CHECKING:
    from headway.server.http.protocol import Front


class PatientFlow(FlowControl):
    """uvicorn's, but a pause holds what comes back: who does not read does not see the end. And it
    has an event only while somebody waits, which seldom happens."""

    def __init__(self, transport: asyncio.Transport, front: Front) -> None:
        self._transport = transport
        self.read_paused = self.write_paused = False
        self._front: Front | None = front
        self._writable: asyncio.Event | None = None

    def pause_reading(self) -> None:
        self.read_paused = True

    def resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            if self._front is not None:
                self._front.release()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        writable, self._writable = self._writable, None
        if writable is not None:
            writable.set()

    async def drain(self) -> None:
        if self.write_paused:
            self._writable = self._writable or asyncio.Event()
            await self._writable.wait()

    def part(self) -> None:
        """From the connection, which is gone."""
        self._front = None
