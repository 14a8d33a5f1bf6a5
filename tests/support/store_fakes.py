"""A store that keeps entries in a list and fails when told to, for tests of the shipper. What real
databases do is tested with those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headway.ledger.store import Deleted, Position
from headway.record import Entry, Record


class ListStore:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.offsets: dict[str, int] = {}
        self.errors: list[Exception] = []
        """Raised by the next calls of ``add`` and ``open``, one each."""
        self.refused: set[str] = set()
        """Ids of records that no transaction can have."""
        self.commits_before_errors = False
        self.transactions = 0
        self.opened = 0
        self.closed = 0
        self.maintained: list[float] = []
        self.pruned: list[tuple[float | None, float | None]] = []

    async def open(self, *, migrates: bool = True) -> None:
        self._raise()
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def add(self, entries: Iterable[Entry], positions: Sequence[Position] = ()) -> int:
        entries = list(entries)
        self.transactions += 1
        if not self.commits_before_errors:
            self._raise()
        if any(isinstance(each, Record) and each.id in self.refused for each in entries):
            raise ValueError("a NUL in a text")
        known = set(self.ids)
        new = [each for each in entries if not isinstance(each, Record) or each.id not in known]
        self.entries += new
        self.offsets.update({each.file: each.offset for each in positions})
        if self.commits_before_errors:
            self._raise()
        return sum(isinstance(each, Record) for each in new)

    async def positions(self) -> Mapping[str, int]:
        return dict(self.offsets)

    async def forget_positions(self, files: Sequence[str]) -> None:
        for name in files:
            self.offsets.pop(name, None)

    async def prune(self, records_before: float | None, content_before: float | None) -> Deleted:
        self.pruned.append((records_before, content_before))
        return Deleted(0, 0, 0)

    async def maintain(self, now: float) -> None:
        self.maintained.append(now)

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.entries if isinstance(each, Record)]

    def _raise(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
