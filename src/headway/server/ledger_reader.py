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
"""How long a question waits for what this gateway wrote to reach the database."""
FOREIGN_S = 0.5
"""How long the look-up of one call waits for what another gateway may have written to a database
that they share. Nobody sees its spool; its shipper looks at that every 0.1 s."""
OPENING_S = 2.0
"""How long a question waits for the database of a server that has just started."""
POLL_S = 0.05
RETRY_AFTER_S = 5.0


class LedgerReader:
    """``new_store`` makes a store that is not open yet. ``clock`` counts monotonic seconds.
    ``directory`` is that of the spool, None where there is none. With ``is_shared`` other gateways,
    with spools of their own, may store records in the same database."""

    def __init__(
        self,
        new_store: Callable[[], Store],
        clock: Clock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        directory: str | None = None,
        is_shared: bool = False,
    ) -> None:
        self._new_store = new_store
        self._clock = clock
        self._sleep = sleep
        self._directory = directory
        self._is_shared = is_shared
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
        """Like ``ask``, for what may be on its way to the database. While there is nothing, or
        nothing complete, it asks again: for up to ``SHIPPING_S`` while the spool has something that
        was written before the question, and for up to ``FOREIGN_S`` where others write, too."""
        started = self._clock()
        waiting = self._spool_sizes()
        while True:
            waiting = await self._find_unstored(waiting)
            found = await self.ask(question)
            if found is not None and is_complete(found):
                return found
            longest = SHIPPING_S if waiting else FOREIGN_S if self._is_shared else 0.0
            if self._clock() >= started + longest:
                return found
            await self._sleep(POLL_S)

    async def catch_up(self) -> None:
        """Wait until everything is stored that is on the spool now, for up to ``SHIPPING_S``."""
        deadline = self._clock() + SHIPPING_S
        waiting = self._spool_sizes()
        while (waiting := await self._find_unstored(waiting)) and self._clock() < deadline:
            await self._sleep(POLL_S)

    def _spool_sizes(self) -> dict[str, int]:
        return {} if self._directory is None else spool_sizes(self._directory)

    async def _find_unstored(self, sizes: dict[str, int]) -> dict[str, int]:
        if not sizes or self._directory is None:
            return {}
        return await self.ask(partial(find_unstored, directory=self._directory, sizes=sizes))

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
