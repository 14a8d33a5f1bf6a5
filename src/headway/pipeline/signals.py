"""Coroutines that run where the bytes arrive.

A task costs a turn of the event loop to start and another at each wait. A request that finds a
pooled connection needs neither: ``start`` runs a coroutine at once, in the caller's own stack,
until it waits; a ``Signal`` continues it inside the very call that brings the value. Futures of
asyncio can be awaited too; what needs a running task (``asyncio.timeout``) goes into one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """One value for one waiter. Setting it again changes nothing."""

    __slots__ = ("_continue", "_value", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._value: T | None = None
        self._continue: Callable[[], None] | None = None

    def set(self, value: T) -> None:
        """Continues the waiter before it returns."""
        if self.is_set:
            return
        self.is_set = True
        self._value = value
        proceed, self._continue = self._continue, None
        if proceed is not None:
            proceed()

    def __await__(self) -> Generator[Signal[T], None, T]:
        if not self.is_set:
            yield self
        return self.value

    @property
    def value(self) -> T:
        """What it was set to."""
        return self._value  # type: ignore[return-value]

    def then(self, proceed: Callable[[], None]) -> None:
        self._continue = proceed


async def unless(stop: Signal[None], awaited: Awaitable[T]) -> T | None:
    """What ``awaited`` gives or raises; or None as soon as ``stop`` is set, and then ``awaited``
    goes on unheard: what it waits for may be for others, too. ``stop`` is set in any case."""
    found: list[T] = []
    failed: list[BaseException] = []

    async def wait() -> None:
        try:
            found.append(await awaited)
        except (Exception, asyncio.CancelledError) as exc:
            failed.append(exc)
        stop.set(None)

    start(wait())
    await stop
    if failed:
        raise failed[0]
    return found[0] if found else None


def start(coroutine: Coroutine[Any, None, None]) -> None:
    """Run ``coroutine`` until it first waits. It must handle its own exceptions."""
    _Run(coroutine).step()


class _Run:
    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, None, None]) -> None:
        self._coroutine = coroutine

    def step(self, _done: object = None) -> None:
        try:
            waits_for = self._coroutine.send(None)
        except StopIteration:
            return
        if type(waits_for) is Signal:
            waits_for.then(self.step)
        elif waits_for is None:  # as ``asyncio.sleep(0)`` gives way to others
            asyncio.get_running_loop().call_soon(self.step)
        else:
            self._wait(waits_for)

    def _wait(self, future: asyncio.Future[Any]) -> None:
        """What a task does with a future that its coroutine yields (asyncio.tasks.Task.__step)."""
        future._asyncio_future_blocking = False
        future.add_done_callback(self.step)
