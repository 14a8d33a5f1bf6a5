"""What the newest calls have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from headway.ledger.rows import decode_key
from headway.ledger.store import Filter, ValueCounts
from headway.ledger.stores.postgresql.reading import Reader
from headway.ledger.value_counts import Group, count_values


class ValueCounter(Reader):
    """One question."""

    select = 'SELECT r.profile, r.terms, r."user" AS name, r.tags, r.time_us'

    async def learn(self, rows: Sequence[Any]) -> None:
        await self.learn_numbers(rows)

    async def count(self, where: Filter, limit: int) -> ValueCounts:
        conditions = await self.compile(where, of_calls=True)
        found = await self.newest(conditions, limit + 1)
        rows = found[:limit]
        kinds = Counter((row["profile"], row["name"], row["tags"]) for row in rows)
        names = await self._texts_of("names", {name for _, name, _ in kinds})
        tag_sets = await self._texts_of("tag_sets", {tags for _, _, tags in kinds})
        return ValueCounts(
            calls=len(rows),
            is_all=len(found) <= limit,
            since=rows[-1]["time_us"] / 1e6 if rows else None,
            counts=count_values(self._groups(kinds, names, tag_sets)),
        )

    def _groups(
        self,
        kinds: Counter[tuple[int, int | None, int | None]],
        names: dict[int, str],
        tag_sets: dict[int, str],
    ) -> Iterator[Group]:
        for (profile, name, tags), calls in kinds.items():
            yield Group(
                self.texts.profiles[profile],
                None if name is None else names[name],
                () if tags is None else decode_key(tag_sets[tags]),
                calls,
            )

    async def _texts_of(self, table: str, numbers: set[int | None]) -> dict[int, str]:
        sql = f"SELECT id, key FROM {table} WHERE id = ANY($1::bigint[])"
        known = [number for number in numbers if number is not None]
        return {row["id"]: row["key"] for row in await self.connection.fetch(sql, known)}
