"""Which records have what a filter asks for: an inverted index, which FTS5 keeps.

The *tokens* of a record stand for its model, key, outcome, user, tags, session and ids, and for how
long it took and what it cost. FTS5 writes them in a fraction of the time of an index of SQLite for
each of them, and finds the newest records with several tokens at once. Different values may have
the same token, so the records that are found are compared with the filter, too.

The tokens of a record are a function of its row (the view ``facet_texts``), by which they are
deleted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log
from typing import Any
from zlib import crc32

import apsw

from headway.ledger.rows import PROFILE_FIELDS, encode_key
from headway.ledger.stores.sqlite.sql import encode_list

_PROFILE_TOKENS = {
    "m": ("dialect", "provider", "model", "deployment"),
    "k": ("key_id",),
    "o": ("outcome", "status", "is_last"),
}
"""First letter of a token -> the fields of the profile that it stands for."""
_FIELDS = {
    letter: [PROFILE_FIELDS.index(field) for field in fields]
    for letter, fields in _PROFILE_TOKENS.items()
}
_PER_LN = 50
"""Steps of a factor e, in which times and costs are counted: one is 2%."""
_COARSE_BITS = 5
"""Of the number of a step, that a token of many steps leaves out."""
_TOLERANCE = 1e-9
"""More than by what SQLite's logarithm of a value may differ from that of Python."""
_LAST_STEP = int(log(2**63) * _PER_LN) + 1


# --- What records have ----------------------------------------------------------------------------


def profile_token(profile: Sequence[Any], letter: str) -> str:
    """``letter``: of ``_PROFILE_TOKENS``."""
    values = tuple([profile[at] for at in _FIELDS[letter]])
    return f"{letter}{crc32(encode_key(values).encode()):x}"


def profile_tokens(profile: Sequence[Any]) -> str:
    return " ".join([profile_token(profile, letter) for letter in _FIELDS])


def tag_set_tokens(tags: Sequence[str]) -> str:
    return " ".join(map(tag_token, tags))


def tag_token(tag: str) -> str:
    return f"t{crc32(tag.encode()):x}"


def id_token(packed: bytes | str) -> str:
    """Of a call, a request or a reply, by its packed id."""
    ends = packed[:1], packed[-3:]
    return "i" + "".join([(end.encode() if isinstance(end, str) else end).hex() for end in ends])


def sql_id_token(column: str) -> str:
    """SQL for ``id_token``."""
    return f"'i' || hex(substr({column}, 1, 1)) || hex(substr({column}, -3))"


def _sql_steps(expression: str, fine: str, coarse: str) -> str:
    step = f"CAST(ln(max({expression}, 1)) * {_PER_LN} AS INTEGER)"
    return f"ifnull(' {fine}' || {step} || ' {coarse}' || ({step} >> {_COARSE_BITS}), '')"


CALL_PD = "ifnull({r}.call_pd, {r}.cost_pd)"
_STEPS = {"latency": ("a", "b"), "cost": ("c", "d")}
TABLES = f"""
CREATE VIEW facet_texts AS SELECT
r.n AS n, p.tokens || ifnull(' u' || r.user, '') || ifnull(' ' || g.tokens, '')
|| ifnull(' s' || r.session, '') || ' ' || {sql_id_token("ifnull(r.call_id, r.id)")}
|| ' ' || {sql_id_token("r.request_id")} || ifnull(' ' || {sql_id_token("r.reply_id")}, '')
|| {_sql_steps("r.latency_us", *_STEPS["latency"])}
|| {_sql_steps(CALL_PD.format(r="r"), *_STEPS["cost"])}
|| iif(r.computed_pd IS NULL OR r.cost_pd IS NULL, '', ' z') AS tokens
FROM records AS r JOIN profiles AS p ON p.id = r.profile LEFT JOIN tag_sets AS g ON g.id = r.tags;
CREATE VIRTUAL TABLE facets USING fts5(
  tokens, content='facet_texts', content_rowid='n', detail=none, columnsize=0, tokenize='ascii'
);
"""
RECONCILABLE = "z"
"""The token of records with both the provider's own cost and a computed one."""


def add_facets(db: apsw.Connection, numbers: Sequence[int]) -> None:
    """Of records that have none yet, in ascending order."""
    db.execute(f"INSERT INTO facets (rowid, tokens) {_TEXTS_OF}", (encode_list(numbers),))


def delete_facets(db: apsw.Connection, numbers: Sequence[int]) -> None:
    """Before their records change."""
    db.execute(
        f"INSERT INTO facets (facets, rowid, tokens) SELECT 'delete', * FROM ({_TEXTS_OF})",
        (encode_list(numbers),),
    )


_TEXTS_OF = (
    "SELECT t.n, t.tokens FROM json_each(?) AS chosen CROSS JOIN facet_texts AS t "
    "ON t.n = chosen.value"
)


# --- What filters ask for -------------------------------------------------------------------------


def any_of(tokens: Iterable[str]) -> str:
    """An expression of FTS5, which ``MATCH`` takes; without tokens it is empty, and an error."""
    return " OR ".join(sorted(set(tokens)))


def steps_between(kind: str, low: float | None, high: float | None) -> str:
    """As ``any_of``, for records with about such a value; ``kind``: ``latency`` or ``cost``."""
    fine, coarse = _STEPS[kind]
    first = 0 if low is None else _step_of(low * (1 - _TOLERANCE))
    last = _LAST_STEP if high is None else min(_step_of(high * (1 + _TOLERANCE)), _LAST_STEP)
    tokens = []
    while first <= last:
        size = 1 << _COARSE_BITS
        if first % size == 0 and first + size - 1 <= last:
            tokens.append(f"{coarse}{first >> _COARSE_BITS}")
            first += size
        else:
            tokens.append(f"{fine}{first}")
            first += 1
    return any_of(tokens)


def _step_of(value: float) -> int:
    return int(log(max(value, 1)) * _PER_LN)
