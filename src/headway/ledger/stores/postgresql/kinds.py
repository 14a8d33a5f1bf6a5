"""The kinds of records (``headway.ledger.rows.kind_of``): the numbers of their profiles and terms,
and what of these counts in sums. A writer remembers them, as there are few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.ledger.cubes import MASKS, mask_profile
from headway.ledger.rows import Kind, kind_of, split_kind
from headway.ledger.stores.postgresql.keys import CACHE_LIMIT, KeyNumbers
from headway.ledger.usage_parts import Flags, flags_of
from headway.record import Record

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection


class KnownKind(NamedTuple):
    """What records of one kind have in common."""

    profile: int
    terms: int
    masked: Sequence[int]
    """The numbers of the profile with each of ``MASKS``."""
    flags: Flags


class KindFinder:
    def __init__(self, numbers: KeyNumbers) -> None:
        self._numbers = numbers
        self._known: dict[Kind, KnownKind] = {}
        self._masked: dict[int, Sequence[int]] = {}

    def forget(self) -> None:
        """After numbers were deleted."""
        self._known.clear()

    async def find(self, connection: Connection, records: Iterable[Record]) -> list[KnownKind]:
        """That of each record; creates the numbers that are missing."""
        known = self._known
        if len(known) > CACHE_LIMIT:
            known.clear()
        kinds = list(map(kind_of, records))
        found = list(map(known.get, kinds))
        if None in found:
            missing = [kind for kind in dict.fromkeys(kinds) if kind not in known]
            await self._learn(connection, missing)
            found = list(map(known.get, kinds))
        return found  # type: ignore[return-value] # none is missing any more

    async def _learn(self, connection: Connection, kinds: Sequence[Kind]) -> None:
        keys = [split_kind(kind) for kind in kinds]
        found = await self._numbers.find(connection, "profiles", [profile for profile, _ in keys])
        terms = await self._numbers.find(connection, "terms", [terms for _, terms in keys])
        profiles = [number or 0 for number in found]
        by_number = dict(zip(profiles, [profile for profile, _ in keys], strict=True))
        masked = await self.mask(connection, by_number)
        for kind, key, profile, number in zip(kinds, keys, profiles, terms, strict=True):
            self._known[kind] = KnownKind(profile, number or 0, masked[profile], flags_of(*key))

    async def mask(
        self, connection: Connection, profiles: dict[int, tuple[Any, ...]]
    ) -> dict[int, Sequence[int]]:
        """The numbers of profiles, given by number, with each of ``MASKS``."""
        missing = {number: key for number, key in profiles.items() if number not in self._masked}
        keys = [mask_profile(key, fields) for key in missing.values() for fields in MASKS]
        found = iter(await self._numbers.find(connection, "profiles", keys))
        for number in missing:
            self._masked[number] = [next(found) or 0 for _ in MASKS]
        return {number: self._masked[number] for number in profiles}
