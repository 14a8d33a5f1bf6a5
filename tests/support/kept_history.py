"""The ``History`` of a ``Pipe``: what is on its spool is there at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Raw

from headway.errors import LedgerUnavailable
from headway.ports import KeptReply
from headway.record import Content, Record, decode_entry
from support.pipeline_fakes import Pipe


class SpoolHistory:
    """A ``ports.History`` that reads a spool. ``asked`` are the names of replies in order."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.asked: list[str] = []
        self.forgotten: set[str] = set()
        self.is_down = False

    async def reply(self, name: str, owner: str) -> KeptReply | None:
        self.asked.append(name)
        if self.is_down:
            raise LedgerUnavailable("The ledger cannot be read now.")
        for content in reversed(self._contents()):
            if name in (content.call_id, *content.aliases) and content.key_id == owner:
                return KeptReply(
                    content.call_id,
                    content.wire,
                    tuple(msgspec.json.decode(content.messages, type=list[Raw])),
                    tuple(msgspec.json.decode(content.output, type=list[Raw])),
                    content.parameters,
                    content.response,
                )
        return None

    async def session(self, session_id: str, owner: str) -> Sequence[str]:
        kept = {content.call_id for content in self._contents()}
        return [
            record.call_id
            for record in self._records()
            if record.session_id == session_id
            and record.key_id == owner
            and record.outcome == "ok"
            and record.call_id in kept
        ]

    async def provider_of(self, call_id: str, owner: str) -> str | None:
        found = [r.provider for r in self._records() if r.call_id == call_id]
        return found[-1] if found else None

    async def forget(self, call_id: str, owner: str) -> bool:
        is_known = await self.reply(call_id, owner) is not None
        self.forgotten.add(call_id)
        return is_known

    def _contents(self) -> list[Content]:
        entries = map(decode_entry, self._pipe.spool.lines)
        return [
            entry
            for entry in entries
            if isinstance(entry, Content) and entry.call_id not in self.forgotten
        ]

    def _records(self) -> list[Record]:
        entries = map(decode_entry, self._pipe.spool.lines)
        return [entry for entry in entries if isinstance(entry, Record)]


def remember(pipe: Pipe) -> SpoolHistory:
    """Give the pipe a history, and ids of calls that are UUIDs."""
    numbers = iter(range(1, 1000))
    pipe.gateway.new_id = lambda: str(UUID(int=next(numbers)))
    history = pipe.gateway.history = SpoolHistory(pipe)
    return history
