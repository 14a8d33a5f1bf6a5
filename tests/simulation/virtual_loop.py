"""An asyncio event loop whose clock jumps to the next timer: no sleeping, no sockets, no threads.

    loop = VirtualLoop(start=1000.0)
    loop.call_later(3600.0, ring)
    loop.run_until_idle()          # returns at once; loop.time() is 4600.0

Callbacks of the same time run in the order in which they were scheduled, so that a run depends on
nothing but what is scheduled.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

MAX_CALLBACKS = 2_000_000
"""In one run: more means that callbacks schedule each other without end."""


class Timer(asyncio.TimerHandle):
    """A timer that is ordered by its time and then by its number."""

    __slots__ = ("order",)

    def __init__(self, order: tuple[float, int], *given: Any) -> None:
        super().__init__(order[0], *given)
        self.order = order

    def __lt__(self, other: Any) -> bool:
        return bool(self.order < other.order)


class VirtualLoop(asyncio.AbstractEventLoop):
    """What asyncio needs for tasks, futures, timers and timeouts, and nothing else."""

    def __init__(self, start: float = 0.0) -> None:
        self.now = start
        self.failures: list[dict[str, Any]] = []
        """What was given to the exception handler: nothing, if nothing is wrong."""
        self.tasks: list[asyncio.Task[Any]] = []
        """All tasks that were created."""
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[Timer] = []
        self._numbers = 0

    # --- asyncio's interface ----------------------------------------------------------------------

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._numbers += 1
        timer = Timer((when, self._numbers), callback, args, self, context)
        heapq.heappush(self._timers, timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.failures.append(context)

    # --- Running ----------------------------------------------------------------------------------

    def run_until(self, until: float) -> None:
        """Run what is due, up to and including the time ``until``, and set the clock to it."""
        self._run(until)
        self.now = max(self.now, until)

    def run_until_idle(self) -> None:
        """Run until nothing is left to run."""
        self._run(float("inf"))

    def pending_timers(self) -> list[asyncio.TimerHandle]:
        return [timer for timer in sorted(self._timers) if not timer.cancelled()]

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        return [task for task in self.tasks if not task.done()]

    def forget(self) -> None:
        """Everything that was scheduled."""
        self.tasks.clear()
        self._timers.clear()
        self._ready.clear()

    def _run(self, until: float) -> None:
        ready, timers, budget = self._ready, self._timers, MAX_CALLBACKS
        outer = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while True:
                while ready:
                    handle = ready.popleft()
                    if not handle.cancelled():
                        handle._run()  # type: ignore[attr-defined]
                        budget -= 1
                    if budget < 0:
                        raise RuntimeError("callbacks schedule each other without end")
                while timers and timers[0].cancelled():
                    heapq.heappop(timers)
                if not timers or timers[0].when() > until:
                    return
                timer = heapq.heappop(timers)
                self.now = max(self.now, timer.when())
                ready.append(timer)
        finally:
            events._set_running_loop(outer)
