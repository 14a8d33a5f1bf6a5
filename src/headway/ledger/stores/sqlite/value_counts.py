"""What the newest calls have in common."""

from __future__ import annotations

from headway.ledger.rows import decode_key
from headway.ledger.store import Filter, ValueCounts
from headway.ledger.stores.sqlite.numbers import time_of
from headway.ledger.stores.sqlite.paging import find_newest
from headway.ledger.stores.sqlite.reading import Reader
from headway.ledger.stores.sqlite.sql import all_rows, encode_list
from headway.ledger.value_counts import Group, count_values

_GROUPS = """
SELECT g.profile, (SELECT key FROM names WHERE id = g.user),
(SELECT key FROM tag_sets WHERE id = g.tags), g.calls
FROM (
  SELECT r.profile AS profile, r.user AS user, r.tags AS tags, count(*) AS calls
  FROM json_each(?) AS chosen CROSS JOIN records AS r ON r.n = chosen.value GROUP BY 1, 2, 3
) AS g"""


def count_newest(reader: Reader, where: Filter, limit: int) -> ValueCounts:
    conditions = reader.compile(where, of_calls=True)
    found = find_newest(reader.db, conditions, limit + 1)
    numbers, profiles = found[:limit], reader.texts.profiles
    rows = all_rows(reader.db, _GROUPS, (encode_list(numbers),))
    return ValueCounts(
        calls=len(numbers),
        is_all=len(found) <= limit,
        since=time_of(numbers[-1]) / 1e6 if numbers else None,
        counts=count_values(
            Group(profiles[profile], user, decode_key(tags) if tags else (), calls)
            for profile, user, tags, calls in rows
        ),
    )
