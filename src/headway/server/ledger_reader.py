"""Asks the database of records for the HTTP routes: opened with the first question, a few questions
at a time, and its failures as errors for clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from headway.errors import LedgerUnavailable, RequestError
from headway.ledger import spool_reader
from headway.ledger.store import Store, StoreError, WrongCursorError
from headway.types import Clock

log = logging.getLogger("headway")
T = TypeVar("T")
AT_ONCE = 4
"""Questions at a time: the others wait."""
SHIPPING_S = 2.0
"""How long the look-up of one call waits for its record to reach the database."""
OPENING_S = 2.0
"""How long a question waits for the database of a server that has just started."""
POLL_S = 0.1
RETRY_AFTER_S = 5.0


class LedgerReader:
    """``new_store`` makes a store that is not open yet. ``clock`` counts monotonic seconds.
    ``directory`` is that of the spool; None where other gateways, with spools of their own, store
    records in the same database."""

    def __init__(
        self,
        new_store: Callable[[], Store],
        clock: Clock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        directory: str | None = None,
    ) -> None:
        self._new_store = new_store
        self._clock = clock
        self._sleep = sleep
        self._directory = directory
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def ask(self, question: Callable[[Store], Awaitable[T]]) -> T:
        """The answer to one question. Raises LedgerUnavailable; RequestError for a cursor that the
        store did not give out."""
        async with self._places:
            try:
                return await question(await self._opened())
            except WrongCursorError:
                message = "`cursor` is none that this ledger gave out for these filters."
                raise RequestError(message, param="cursor") from None
            except StoreError as error:
                raise unavailable(error) from None

    async def find(
        self,
        question: Callable[[Store], Awaitable[T | None]],
        is_complete: Callable[[T], bool] = lambda found: True,
    ) -> T | None:
        """Like ``ask``, for what may be on its way to the database: asks again for up to
        ``SHIPPING_S`` while there is nothing, or nothing complete, and the spool has something
        that was written before the question."""
        deadline, directory = self._clock() + SHIPPING_S, self._directory
        waiting = {} if directory is None else spool_sizes(directory)
        while True:
            if directory is not None and waiting:
                look = partial(find_unstored, directory=directory, sizes=waiting)
                waiting = await self.ask(look)
            found = await self.ask(question)
            is_there = found is not None and is_complete(found)
            is_stored = directory is not None and not waiting
            if is_there or is_stored or self._clock() >= deadline:
                return found
            await self._sleep(POLL_S)

    async def each(
        self, pieces: Callable[[Store], AsyncGenerator[T, None]]
    ) -> AsyncGenerator[T, None]:
        """The pieces of a long answer, with a place for each of them alone: a slow client holds
        nobody up. Raises like ``ask``."""

        async def begin(store: Store) -> AsyncGenerator[T, None]:
            return pieces(store)

        iterator = await self.ask(begin)
        async with aclosing(iterator):
            while (piece := await self.ask(lambda store: anext(iterator, None))) is not None:
                yield piece

    async def close(self) -> None:
        """Idempotent."""
        store, self._store = self._store, None
        if store is not None:
            await store.close()

    async def _opened(self) -> Store:
        """Raises StoreError."""
        async with self._opening:
            deadline = self._clock() + OPENING_S
            while self._store is None:
                try:
                    self._store = await _open(self._new_store())
                except StoreError:
                    if self._clock() >= deadline:
                        raise
                    await self._sleep(POLL_S)
            return self._store


def spool_sizes(directory: str) -> dict[str, int]:
    """Spool file -> its size now."""
    return {file.name: file.size for file in spool_reader.find_files(directory)}


async def find_unstored(store: Store, directory: str, sizes: Mapping[str, int]) -> dict[str, int]:
    """Those of ``sizes`` up to which a file is not stored yet. Raises StoreError."""
    stored, present = await store.positions(), spool_sizes(directory)
    return {
        name: size
        for name, size in sizes.items()
        if name in present and stored.get(name, 0) < size  # a stored file is deleted
    }


async def _open(store: Store) -> Store:
    """Raises StoreError."""
    try:
        await store.open(migrates=False)
    except StoreError:
        await store.close()
        raise
    return store


def unavailable(error: StoreError) -> LedgerUnavailable:
    message = f"The ledger cannot be read now: {error}"
    return LedgerUnavailable(message, retry_after_s=RETRY_AFTER_S)
