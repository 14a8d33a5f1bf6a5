"""Fills cubes that an older version did not have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

import apsw

from headway.ledger.cubes import MASKS, Sums, mask_profile
from headway.ledger.rows import COLUMNS
from headway.ledger.stores.sqlite.keys import KeyNumbers, KeyTexts
from headway.ledger.stores.sqlite.numbers import time_of
from headway.ledger.stores.sqlite.old_cells import append_parts
from headway.ledger.stores.sqlite.sql import each_row
from headway.ledger.stores.sqlite.sums import find_rolled_day
from headway.ledger.usage_parts import contributions_of, flags_of

AT_ONCE = 20_000
_SELECT = f"SELECT n, {', '.join(COLUMNS[1:])}, ifnull(call_pd, cost_pd) FROM records ORDER BY n"
_PROFILE, _TERMS, _USER, _TAGS = map(COLUMNS.index, ("profile", "terms", "user", "tags"))


def fill_cubes(db: apsw.Connection, cubes: Collection[int]) -> None:
    """Add all records to these cubes, which are empty."""
    texts, numbers = KeyTexts(), KeyNumbers()
    texts.update(db)
    masked: dict[int, Sequence[int]] = {}
    rows = each_row(db, _SELECT)
    while batch := list(islice(rows, AT_ONCE)):
        for profile in {row[_PROFILE] for row in batch}.difference(masked):
            keys = [mask_profile(texts.profiles[profile], fields) for fields in MASKS]
            masked[profile] = [numbers.find(db, "profiles", key) for key in keys]
        parts = _sum_up(batch, texts, masked).parts(find_rolled_day(db))
        append_parts(db, [part for part in parts if part[0][0] in cubes])


def _sum_up(
    rows: Sequence[tuple[Any, ...]], texts: KeyTexts, masked: dict[int, Sequence[int]]
) -> Sums:
    places = [(time_of(row[0]), masked[row[_PROFILE]], row[_USER], row[_TAGS]) for row in rows]
    kinds = [(row[_PROFILE], row[_TERMS]) for row in rows]
    flags = {kind: flags_of(texts.profiles[kind[0]], texts.terms[kind[1]]) for kind in set(kinds)}
    gaps = [None] * len(rows)
    sums = Sums()
    sums.add(
        places,
        contributions_of(rows, [flags[kind] for kind in kinds], [row[-1] for row in rows], gaps),
        gaps,
    )
    return sums
