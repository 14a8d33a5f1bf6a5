"""The tables, and how a database gets from one version of them to the next.

``MIGRATIONS[i]`` makes version ``i + 1`` of version ``i``. A released one never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import apsw

from headway.ledger.rows import (
    COLUMNS,
    FIRST_PROFILE_FIELDS,
    PROFILE_FIELDS,
    TERMS_FIELDS,
    TOKEN_FIELDS,
    decode_key,
)
from headway.ledger.store import StoreError
from headway.ledger.stores.sqlite.facets import TABLES as FACET_TABLES
from headway.ledger.stores.sqlite.facets import profile_tokens, tag_set_tokens
from headway.ledger.stores.sqlite.numbers import EPOCH_US
from headway.ledger.stores.sqlite.old_cells import each_segment
from headway.ledger.stores.sqlite.refill import fill_cubes
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.ledger.stores.sqlite.sums import LAST_RANK, set_rolled_day
from headway.ledger.stores.sqlite.sums import TABLES as SUM_TABLES

APPLICATION_ID = 0x48445759
"""SQLite's ``application_id`` of a ledger: "HDWY"."""

Migration = Callable[[apsw.Connection], None]

_TABLES = f"""
CREATE TABLE profiles (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, {", ".join(FIRST_PROFILE_FIELDS)}
);
CREATE TABLE terms (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, {", ".join(TERMS_FIELDS)}
);
CREATE TABLE names (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE tag_sets (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE tags (tag TEXT, tag_set INTEGER, PRIMARY KEY (tag, tag_set)) WITHOUT ROWID;
CREATE TABLE sessions (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, ended_us INTEGER NOT NULL);
CREATE INDEX sessions_by_end ON sessions (ended_us);

CREATE TABLE records (n INTEGER PRIMARY KEY, {", ".join(COLUMNS[1:])}, call_pd, call_rest);
CREATE INDEX records_by_call ON records (substr(ifnull(call_id, id), -6));
CREATE INDEX records_by_request ON records (substr(request_id, -5));
CREATE INDEX records_by_reply ON records (substr(reply_id, -5)) WHERE reply_id IS NOT NULL;
CREATE INDEX records_by_profile ON records (profile);
CREATE INDEX records_by_user ON records (user) WHERE user IS NOT NULL;
CREATE INDEX records_by_tags ON records (tags) WHERE tags IS NOT NULL;
CREATE INDEX records_by_session ON records (session) WHERE session IS NOT NULL;
CREATE INDEX records_by_latency ON records (latency_us) WHERE latency_us IS NOT NULL;
CREATE INDEX records_by_cost ON records (ifnull(call_pd, cost_pd))
  WHERE ifnull(call_pd, cost_pd) IS NOT NULL;
CREATE INDEX records_with_computed_cost ON records (n) WHERE computed_pd IS NOT NULL;
CREATE VIRTUAL TABLE error_texts USING fts5(text, content='', contentless_delete=1);

CREATE TABLE feedback (
  id PRIMARY KEY, call_id NOT NULL, time_us INTEGER NOT NULL, key_id TEXT, score REAL, label TEXT,
  comment TEXT
) WITHOUT ROWID;
CREATE INDEX feedback_by_call ON feedback (call_id);

CREATE TABLE contents (
  id INTEGER PRIMARY KEY, call_id NOT NULL UNIQUE, time_us INTEGER NOT NULL, key_id TEXT,
  wire TEXT NOT NULL, mode TEXT NOT NULL, parameters BLOB NOT NULL, response BLOB NOT NULL
);
CREATE INDEX contents_by_time ON contents (time_us);
CREATE TABLE content_nodes (
  content INTEGER, place INTEGER, node INTEGER, PRIMARY KEY (content, place)
) WITHOUT ROWID;
CREATE INDEX content_nodes_by_node ON content_nodes (node);
CREATE TABLE aliases (alias, content INTEGER, PRIMARY KEY (alias, content)) WITHOUT ROWID;
CREATE INDEX aliases_by_content ON aliases (content);
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, parent INTEGER, piece INTEGER NOT NULL,
  uses INTEGER NOT NULL
);
CREATE INDEX nodes_by_parent ON nodes (parent);
CREATE INDEX nodes_by_piece ON nodes (piece);
CREATE TABLE pieces (
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, uses INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE VIRTUAL TABLE piece_texts USING fts5(text, content='', contentless_delete=1);

CREATE TABLE cells (
  cube INTEGER, start INTEGER, name INTEGER, profile INTEGER, parts INTEGER NOT NULL,
  cell BLOB NOT NULL, UNIQUE (cube, start, name, profile)
);

CREATE TABLE positions (file TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
"""


def _text_of_id(column: str) -> str:
    """SQL for what ``unpack_id`` gives."""
    digits = f"lower(hex({column}))"
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    uuid = " || '-' || ".join(f"substr({digits}, {start}, {size})" for start, size in parts)
    return f"CASE typeof({column}) WHEN 'blob' THEN {uuid} ELSE {column} END"


_SECONDS = {
    "latency_us": "latency_s",
    "first_byte_us": "time_to_first_byte_s",
    "first_token_us": "time_to_first_token_s",
    "gap_mean_us": "inter_token_latency_s",
}


def _view(profile_fields: Sequence[str], more: str = "r.more") -> str:
    return f"""
CREATE VIEW logs AS SELECT
strftime('%Y-%m-%dT%H:%M:%fZ', (r.n + {EPOCH_US}) / 1e6, 'unixepoch') AS time,
{_text_of_id("r.id")} AS id, {_text_of_id("ifnull(r.call_id, r.id)")} AS call_id,
{_text_of_id("r.request_id")} AS request_id,
{", ".join(f"p.{name}" for name in profile_fields)},
{", ".join(f"t.{name}" for name in TERMS_FIELDS)},
u.key AS user, g.key AS tags, s.key AS session_id, o.key AS parameters,
{", ".join(f"r.{name}" for name in TOKEN_FIELDS)},
r.cost_pd / 1e12 AS cost_usd, ifnull(r.call_pd, r.cost_pd) / 1e12 AS call_cost_usd,
{", ".join(f"r.{column} / 1e6 AS {name}" for column, name in _SECONDS.items())},
r.overhead_ns / 1e9 AS gateway_overhead_s, {more}
FROM records AS r JOIN profiles AS p ON p.id = r.profile JOIN terms AS t ON t.id = r.terms
LEFT JOIN names AS u ON u.id = r.user LEFT JOIN tag_sets AS g ON g.id = r.tags
LEFT JOIN sessions AS s ON s.id = r.session LEFT JOIN names AS o ON o.id = r.parameters
"""


def create_tables(db: apsw.Connection) -> None:
    db.execute(_TABLES)
    db.execute(_view(FIRST_PROFILE_FIELDS))


def index_tokens(db: apsw.Connection) -> None:
    """Find records by their tokens, in place of an index for each thing that filters ask for."""
    for (index,) in all_rows(db, _INDEXES_OF_RECORDS):
        db.execute(f"DROP INDEX {index}")
    db.execute(_COLUMNS_OF_2)
    for table, tokens_of in (("profiles", profile_tokens), ("tag_sets", tag_set_tokens)):
        keys = all_rows(db, f"SELECT id, key FROM {table}")
        db.executemany(
            f"UPDATE {table} SET tokens = ? WHERE id = ?",
            [(tokens_of(decode_key(key)), id_) for id_, key in keys],
        )
    db.execute(FACET_TABLES)
    db.execute("INSERT INTO facets (rowid, tokens) SELECT n, tokens FROM facet_texts ORDER BY n")
    db.execute(f"INSERT INTO hours {COUNT_BY_HOUR} GROUP BY 1")
    newest = first_value(db, "SELECT max(hour) FROM hours")
    if newest is not None:
        set_rolled_day(db, newest // 24 + 1)


_INDEXES_OF_RECORDS = """
SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'records' AND sql IS NOT NULL"""
_COLUMNS_OF_2 = """
ALTER TABLE profiles ADD COLUMN tokens TEXT NOT NULL DEFAULT '';
ALTER TABLE tag_sets ADD COLUMN tokens TEXT NOT NULL DEFAULT '';
CREATE TABLE rolled (day INTEGER NOT NULL);
CREATE TABLE hours (hour INTEGER PRIMARY KEY, records INTEGER NOT NULL, calls INTEGER NOT NULL);
"""
COUNT_BY_HOUR = f"""
SELECT (r.n + {EPOCH_US}) / 3600000000 AS hour, count(*) AS records, sum(p.is_last) AS calls
FROM records AS r JOIN profiles AS p ON p.id = r.profile"""


def add_routes(db: apsw.Connection) -> None:
    """Know the route of a record and what the cache did. Records of earlier versions have neither,
    and no row of theirs is written."""
    db.execute(
        "ALTER TABLE profiles ADD COLUMN route_name; ALTER TABLE profiles ADD COLUMN cache; "
        "DROP VIEW logs"
    )
    saved = "json_extract(r.more, '$.saved_usd') + 0.0 AS saved_usd"
    db.execute(_view(PROFILE_FIELDS, f"{saved}, r.more"))


def sum_up_models(db: apsw.Connection) -> None:
    """By user and by tag. What retention has deleted is in no record any more, so it is not in
    these sums."""
    fill_cubes(db, (10, 11, 12, 13))


def pack_sums(db: apsw.Connection) -> None:
    """Keep sums in segments: cells in columns, in place of a row for each."""
    db.execute(SUM_TABLES)
    for block, body in each_segment(db):
        db.execute("INSERT INTO sums VALUES (?, ?, ?, ?, 1, ?)", (*block, LAST_RANK, body))
    db.execute("DROP TABLE cells")


MIGRATIONS: Sequence[Migration] = (
    create_tables, index_tokens, add_routes, sum_up_models, pack_sums,
)  # fmt: skip


def read_version(db: apsw.Connection, place: str) -> int:
    """The version of the schema; 0 for an empty database. Raises StoreError for a database of
    another program."""
    application, version = (db.pragma(name) for name in ("application_id", "user_version"))
    if application == APPLICATION_ID:
        return int(version)
    if application or version or all_rows(db, "SELECT 1 FROM sqlite_schema"):
        raise StoreError(f"{place} is a database of another program: set ledger.url to a new file")
    return 0


def check_version(version: int, place: str, known: int) -> None:
    """Raises StoreError where the schema is newer than this program, or older."""
    if version > known:
        raise StoreError(
            f"{place} has schema version {version}, and this program knows up to {known}: "
            "use the newer program that wrote it"
        )
    if version < known:
        raise StoreError(
            f"{place} has schema version {version}, and this program needs {known}: "
            "run `headway db migrate`, or start the server, which does it"
        )


def migrate(db: apsw.Connection, place: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the database to the last version, one transaction for each step: a step that fails
    leaves the data as it was. A new database is made in one, so that no reader finds it at an
    earlier version. Raises StoreError for a newer schema."""
    if read_version(db, place) == 0:
        db.pragma("auto_vacuum", 2)  # incremental; before the first table
    while (version := read_version(db, place)) < len(migrations):
        db.execute("BEGIN IMMEDIATE")
        try:
            if read_version(db, place) == version:  # nobody else was faster
                reached = version + 1 if version else len(migrations)
                for step in migrations[version:reached]:
                    step(db)
                db.pragma("application_id", APPLICATION_ID)
                db.pragma("user_version", reached)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    check_version(version, place, len(migrations))
