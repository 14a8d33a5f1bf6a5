"""The ``ports.History`` of a server: asks its database, once the shipper has stored what was
written before."""

from __future__ import annotations

from collections.abc import Sequence

from headway.ports import KeptReply
from headway.server.ledger_reader import LedgerReader

LONGEST_NAME = 1024
"""Characters."""


class LedgerHistory:
    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    async def reply(self, name: str, owner: str) -> KeptReply | None:
        if not _is_name(name):
            return None
        found = await self._reader.find(lambda store: store.conversation(name, owner))
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
        await self._reader.catch_up()
        return await self._reader.ask(lambda store: store.session_history(session_id, owner))

    async def provider_of(self, call_id: str, owner: str) -> str | None:
        call = await self._reader.ask(lambda store: store.call(call_id, owner))
        return None if call is None else call.last.provider

    async def forget(self, call_id: str, owner: str) -> bool:
        return await self._reader.ask(lambda store: store.delete_content(call_id, owner))


def _is_name(text: str) -> bool:
    """Whether anything can have that name: databases refuse some characters."""
    return len(text) <= LONGEST_NAME and text.isprintable()
