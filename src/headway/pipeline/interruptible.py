"""What a call awaits, and what may interrupt that: a client that leaves, a shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headway.errors import HeadwayError
from headway.pipeline.gateway import Gateway


class InterruptibleCall:
    """The part of a call that waits."""

    gateway: Gateway
    abort_reason: HeadwayError | None = None
    """Why the call is to end."""
    _resumed: float
    """The time of the clock when the gateway's own work began, or continued after waiting."""
    _waiting_task: asyncio.Task[Any] | None = None
    """A task that awaits something that ``abort`` may interrupt."""

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Context of an await that ``abort`` may interrupt, which raises the reason. The time is
        not overhead."""
        self._raise_if_aborted()
        task = self._waiting_task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError as cancelled:
            if self.abort_reason is None or task is None:
                raise
            cancelled.__traceback__ = None  # its stack frames refer to this call
            task.uncancel()
        finally:
            self._waiting_task = None
            self._resumed = self.gateway.clock()
        self._raise_if_aborted()

    def _raise_if_aborted(self) -> None:
        if self.abort_reason is not None:
            raise self.abort_reason
