"""Flow control of one client connection, with the interface that uvicorn's request cycle uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ClientFlowControl:
    """Like ``uvicorn.protocols.http.flow_control.FlowControl``, but pausing only sets a flag: the
    protocol keeps reading the socket and holds the bytes back, because a client whose socket is
    not read cannot be seen to leave. The event that writers await exists only while one does.

    ``on_resume`` is called when reading may continue after a pause.
    """

    def __init__(self, on_resume: Callable[[], None]) -> None:
        self.read_paused = False
        self.write_paused = False
        self._on_resume: Callable[[], None] | None = on_resume
        self._writable: asyncio.Event | None = None

    def pause_reading(self) -> None:
        self.read_paused = True

    def resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            if self._on_resume is not None:
                self._on_resume()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        writable, self._writable = self._writable, None
        if writable is not None:
            writable.set()

    async def drain(self) -> None:
        """Return when the client's transport accepts more bytes."""
        if self.write_paused:
            self._writable = self._writable or asyncio.Event()
            await self._writable.wait()

    def detach(self) -> None:
        """Drop the callback: the connection is lost, and no reference cycle may keep it alive."""
        self._on_resume = None
