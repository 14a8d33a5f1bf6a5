"""The ``ports.History`` of a server: asks its database, once the shipper has stored what was
written before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from headway.ledger.store import Conversation
from headway.ports import KeptReply
from headway.server.ledger_reader import LedgerReader, find_unstored, spool_sizes
from headway.types import Clock

SHIPPING_S = 2.0
"""How long a question waits for the shipper."""
POLL_S = 0.05
LONGEST_NAME = 1024
"""Characters."""


class LedgerHistory:
    """``directory`` is that of the spool, ``clock`` counts monotonic seconds."""

    def __init__(
        self,
        reader: LedgerReader,
        directory: str,
        clock: Clock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._clock = clock
        self._sleep = sleep

    async def reply(self, name: str, owner: str) -> KeptReply | None:
        if not _is_name(name):
            return None
        found = await self._find(name, owner)
        if found is None:
            await self._catch_up()
            found = await self._find(name, owner)
        if found is None or found.mode != "full":
            return None
        return KeptReply(
            found.call_id,
            found.wire,
            found.messages,
            found.output,
            found.parameters,
            found.response,
        )

    async def session(self, session_id: str, owner: str) -> Sequence[str]:
        if not _is_name(session_id):
            return ()
        await self._catch_up()
        return await self._reader.ask(lambda store: store.session_history(session_id, owner))

    async def provider_of(self, call_id: str, owner: str) -> str | None:
        call = await self._reader.ask(lambda store: store.call(call_id, owner))
        return None if call is None else call.last.provider

    async def forget(self, call_id: str, owner: str) -> bool:
        return await self._reader.ask(lambda store: store.delete_content(call_id, owner))

    async def _find(self, name: str, owner: str) -> Conversation | None:
        return await self._reader.ask(lambda store: store.conversation(name, owner))

    async def _catch_up(self) -> None:
        """Wait until everything is stored that is on the spool now, for a while."""
        deadline = self._clock() + SHIPPING_S
        waiting = spool_sizes(self._directory)
        while waiting:
            look = partial(find_unstored, directory=self._directory, sizes=waiting)
            waiting = await self._reader.ask(look)
            if not waiting or self._clock() >= deadline:
                return
            await self._sleep(POLL_S)


def _is_name(text: str) -> bool:
    """Whether anything can have that name: databases refuse some characters."""
    return len(text) <= LONGEST_NAME and text.isprintable()
