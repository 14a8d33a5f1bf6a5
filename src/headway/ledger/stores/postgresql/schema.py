"""The tables, version by version, and the names of their columns.

Records are partitioned by day and content by month, so that retention drops whole tables. Times are
Unix microseconds, amounts picodollars, as ``headway.ledger.rows`` makes them. The view ``logs`` is
for people with SQL.

Since version 2 most numbers of a record are in columns of four bytes (``NARROW``), which take less
room and time; the columns of eight bytes have what is larger, and the numbers of older rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from headway.ledger.rows import (
    COLUMNS,
    FIRST_PROFILE_FIELDS,
    SIZE_FIELDS,
    TERMS_FIELDS,
    TOKEN_FIELDS,
)

_COLUMN_TYPES = {
    **dict.fromkeys(("id", "request_id", "call_id"), "bytea NOT NULL"),
    **dict.fromkeys(("time_us", "duration_us"), "bigint NOT NULL"),
    **dict.fromkeys(("profile", "terms"), "integer NOT NULL"),
    "tags": "integer",
    "gaps": "bytea",
    **dict.fromkeys(
        ("cost_rest", "computed_rest", "quantities", "upstream_request_id", "reply_id", "more"),
        "text",
    ),
}
"""Of those that are not ``bigint``."""
EXTRA_COLUMNS = (
    "error_text", "error_words", "id_texts", "call_pd", "call_rest", "upstream_request_id",
)  # fmt: skip
"""``error_text``: the error; ``error_words``: its words, for the search. ``id_texts``: JSON of the
ids that are no UUIDs.
``call_pd``, ``call_rest``: the cost of all attempts, in the last one of a call with several.
``upstream_request_id``: where ``upstream_id`` cannot have it, which has bytes."""
RECORD_COLUMNS = (
    *["upstream_id" if name == "upstream_request_id" else name for name in COLUMNS],
    *EXTRA_COLUMNS,
)
"""Of a row with large numbers, as it is written."""
NARROW: Mapping[str, str] = {
    name: f"{name}_4"
    for name in (
        "duration_us", *TOKEN_FIELDS, "latency_us", "first_byte_us", "first_token_us", "sent_us",
        "gap_mean_us", "gap_p50_us", "gap_p95_us", "gap_max_us", "overhead_ns", "content_events",
        "request_bytes", "response_bytes", "upstream_request_bytes", "upstream_response_bytes",
    )
}  # fmt: skip
"""Column of eight bytes -> that of four bytes beside it."""
NARROW_COLUMNS = tuple(NARROW.get(name, name) for name in RECORD_COLUMNS)
"""Of a row all of whose numbers fit into four bytes."""
CALL_COST = "coalesce(call_pd, cost_pd)"


def quote(columns: tuple[str, ...], prefix: str = "") -> str:
    """Names for SQL, in which ``user`` means something else."""
    return ", ".join(f'{prefix}"{name}"' for name in columns)


_PROFILE_TYPES = {"status": "integer", "is_last": "boolean"}
_TERMS_TYPES = {
    **dict.fromkeys(("v", "attempt", "attempts", "upstream_status"), "integer"),
    **dict.fromkeys(("stream", "is_drained"), "boolean"),
}


def _columns(names: tuple[str, ...], types: dict[str, str], default: str) -> str:
    return ",\n  ".join(f'"{name}" {types.get(name, default)}' for name in names)


def _interned(name: str, columns: str = "", number: str = "integer") -> str:
    """A table of keys that records refer to by number. ``hash`` finds them: a key may be longer
    than what an index takes."""
    more = f",\n  {columns}" if columns else ""
    return f"""
CREATE TABLE {name} (
  id {number} GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,
  key text NOT NULL{more}
);
"""


INTERNED = "".join(
    (
        _interned("profiles", _columns(FIRST_PROFILE_FIELDS, _PROFILE_TYPES, "text")),
        _interned("terms", _columns(TERMS_FIELDS[:-2], _TERMS_TYPES, "text")),
        _interned("names", number="bigint"),
        _interned("tag_sets", "tags text[] NOT NULL"),
        _interned("sessions", "ended_us bigint NOT NULL DEFAULT 0", "bigint"),
    )
)

RECORDS = f"""
CREATE INDEX tag_sets_by_tag ON tag_sets USING gin (tags);
CREATE INDEX sessions_by_end ON sessions (ended_us, id);

CREATE TABLE records (
  {_columns(COLUMNS, _COLUMN_TYPES, "bigint")},
  error_text text,
  error_words text[],
  id_texts text,
  call_pd bigint,
  call_rest text,
  PRIMARY KEY (time_us, id)
) PARTITION BY RANGE (time_us);
CREATE INDEX records_by_call ON records (call_id);
CREATE INDEX records_by_request ON records (request_id);
CREATE INDEX records_by_reply ON records USING hash (reply_id) WHERE reply_id IS NOT NULL;
CREATE INDEX records_by_profile ON records (profile, time_us);
CREATE INDEX records_by_user ON records ("user", time_us) WHERE "user" IS NOT NULL;
CREATE INDEX records_by_tags ON records (tags, time_us) WHERE tags IS NOT NULL;
CREATE INDEX records_by_session ON records (session, time_us) WHERE session IS NOT NULL;
CREATE INDEX records_by_latency ON records (latency_us) WHERE latency_us IS NOT NULL;
CREATE INDEX records_by_cost ON records (({CALL_COST})) WHERE {CALL_COST} IS NOT NULL;
CREATE INDEX records_with_computed_cost ON records (time_us) WHERE computed_pd IS NOT NULL;
CREATE INDEX records_by_error ON records USING gin (error_words) WHERE error_words IS NOT NULL;

CREATE TABLE feedback (
  id bytea PRIMARY KEY, id_text text NOT NULL, call_id bytea NOT NULL, call_text text NOT NULL,
  time_us bigint NOT NULL, key_id text, score double precision, label text, comment text
);
CREATE INDEX feedback_by_call ON feedback (call_id);
CREATE INDEX feedback_by_time ON feedback (time_us);

CREATE TABLE positions (file text PRIMARY KEY, "offset" bigint NOT NULL);

CREATE TABLE stored_by_hour (
  hour integer PRIMARY KEY, records bigint NOT NULL, calls bigint NOT NULL
) WITH (fillfactor = 60);
"""

CELLS = """
CREATE TABLE cells (
  cube smallint NOT NULL, start integer NOT NULL, name bigint NOT NULL, profile integer NOT NULL,
  parts integer NOT NULL, cell bytea NOT NULL, PRIMARY KEY (cube, start, name, profile)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE cells ALTER COLUMN cell SET STORAGE EXTERNAL;
"""
"""The sums of ``headway.ledger.cubes``."""

CONTENT = """
CREATE TABLE contents (
  month integer NOT NULL, call_id bytea NOT NULL, call_text text NOT NULL, time_us bigint NOT NULL,
  key_id text, wire text NOT NULL, mode text NOT NULL, head bytea NOT NULL,
  outputs bytea[] NOT NULL, parameters bytea NOT NULL, response bytea NOT NULL,
  refers bytea[] NOT NULL, PRIMARY KEY (month, call_id)
) PARTITION BY LIST (month);
CREATE INDEX contents_by_time ON contents (time_us);
CREATE INDEX contents_by_head ON contents (head);
CREATE INDEX contents_by_reference ON contents USING gin (refers);
CREATE TABLE aliases (
  month integer NOT NULL, hash bytea NOT NULL, call_id bytea NOT NULL, time_us bigint NOT NULL,
  PRIMARY KEY (month, hash, call_id)
) PARTITION BY LIST (month);
CREATE TABLE nodes (
  month integer NOT NULL, hash bytea NOT NULL, parent bytea NOT NULL, piece bytea NOT NULL,
  PRIMARY KEY (month, hash)
) PARTITION BY LIST (month);
CREATE INDEX nodes_by_parent ON nodes (parent);
CREATE INDEX nodes_by_piece ON nodes (piece);
CREATE TABLE pieces (
  month integer NOT NULL, hash bytea NOT NULL, body bytea NOT NULL, refers bytea[],
  words text[], PRIMARY KEY (month, hash)
) PARTITION BY LIST (month);
ALTER TABLE pieces ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX pieces_by_word ON pieces USING gin (words) WHERE words IS NOT NULL;
CREATE INDEX pieces_by_reference ON pieces USING gin (refers) WHERE refers IS NOT NULL;
"""
MONTHLY = ("contents", "aliases", "nodes", "pieces")
"""Tables that are partitioned by month."""

_SECONDS = ("duration_us", "latency_us", "first_byte_us", "first_token_us", "sent_us",
            "gap_mean_us", "gap_p50_us", "gap_p95_us", "gap_max_us")  # fmt: skip


def _as_uuid(name: str) -> str:
    return f"encode(r.{name}, 'hex')::uuid AS {name}"


LOGS = f"""
CREATE VIEW logs AS
SELECT
  to_timestamp(r.time_us / 1e6) AS "timestamp",
  {_as_uuid("id")}, {_as_uuid("request_id")}, {_as_uuid("call_id")},
  {quote(FIRST_PROFILE_FIELDS, "p.")},
  {quote(TERMS_FIELDS[:-2], "t.")},
  u.key AS "user", s.key AS session_id, g.tags AS tags, a.key AS parameters,
  r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens,
  r.cache_write_1h_tokens, r.reasoning_tokens,
  r.cost_pd::numeric / 1e12 + coalesce(r.cost_rest::numeric, 0) AS cost_usd,
  r.computed_pd::numeric / 1e12 + coalesce(r.computed_rest::numeric, 0) AS cost_computed_usd,
  {", ".join(f"r.{name} / 1e6 AS {name.removesuffix('_us')}_s" for name in _SECONDS)},
  r.overhead_ns / 1e9 AS gateway_overhead_s,
  r.content_events, r.request_bytes, r.response_bytes, r.upstream_request_bytes,
  r.upstream_response_bytes, r.upstream_request_id, r.reply_id,
  r.error_text AS error_message
FROM records r
JOIN profiles p ON p.id = r.profile
JOIN terms t ON t.id = r.terms
LEFT JOIN names u ON u.id = r."user"
LEFT JOIN sessions s ON s.id = r.session
LEFT JOIN tag_sets g ON g.id = r.tags
LEFT JOIN names a ON a.id = r.parameters;
"""

VERSION_1 = INTERNED + RECORDS + CELLS + CONTENT + LOGS


def number_of(name: str, prefix: str = "r.") -> str:
    """SQL for the value of a column, whichever of the two has it."""
    if name not in NARROW:
        return f'{prefix}"{name}"'
    return f"coalesce({prefix}{NARROW[name]}, {prefix}{name})"


def own_call(prefix: str = "r.") -> str:
    """SQL for the id of a record's call. Since version 2 it is null where it is the record's."""
    return f"coalesce({prefix}call_id, {prefix}id)"


def end_of_id(sql: str) -> str:
    """SQL for the last four bytes of an id, which indexes have in the place of all 16."""
    return f"substr({sql}, 13)"


_NEW_COLUMNS = ",\n  ".join(f"ADD COLUMN {name} integer" for name in NARROW.values())
_REPLACED = ("call", "request", "profile", "user", "tags", "session", "latency", "cost")


def _logs_2(more: str = "") -> str:
    """``more``: columns at the end."""
    return f"""
CREATE OR REPLACE VIEW logs AS
SELECT
  to_timestamp(r.time_us / 1e6) AS "timestamp",
  {_as_uuid("id")}, {_as_uuid("request_id")}, encode({own_call()}, 'hex')::uuid AS call_id,
  {quote(FIRST_PROFILE_FIELDS, "p.")},
  {quote(TERMS_FIELDS[:-2], "t.")},
  u.key AS "user", s.key AS session_id, g.tags AS tags, a.key AS parameters,
  {", ".join(f"{number_of(name)} AS {name}" for name in TOKEN_FIELDS)},
  r.cost_pd::numeric / 1e12 + coalesce(r.cost_rest::numeric, 0) AS cost_usd,
  r.computed_pd::numeric / 1e12 + coalesce(r.computed_rest::numeric, 0) AS cost_computed_usd,
  {", ".join(f"{number_of(name)} / 1e6 AS {name.removesuffix('_us')}_s" for name in _SECONDS)},
  {number_of("overhead_ns")} / 1e9 AS gateway_overhead_s,
  {", ".join(f"{number_of(name)} AS {name}" for name in SIZE_FIELDS)},
  (CASE
    WHEN r.upstream_id IS NULL THEN r.upstream_request_id
    WHEN length(r.upstream_id) = 16 THEN encode(r.upstream_id, 'hex')::uuid::text
    ELSE convert_from(substr(r.upstream_id, get_byte(r.upstream_id, 0) + 3), 'UTF8') || '_' ||
      encode(substr(r.upstream_id, 2, get_byte(r.upstream_id, 0)), 'hex')
  END) COLLATE "default" AS upstream_request_id,
  r.reply_id,
  r.error_text AS error_message{more}
FROM records r
JOIN profiles p ON p.id = r.profile
JOIN terms t ON t.id = r.terms
LEFT JOIN names u ON u.id = r."user"
LEFT JOIN sessions s ON s.id = r.session
LEFT JOIN tag_sets g ON g.id = r.tags
LEFT JOIN names a ON a.id = r.parameters;
"""


VERSION_2 = f"""
ALTER TABLE records
  {_NEW_COLUMNS},
  ADD COLUMN upstream_id bytea,
  ALTER COLUMN call_id DROP NOT NULL,
  ALTER COLUMN duration_us DROP NOT NULL;
{"".join(f"DROP INDEX records_by_{name};" for name in _REPLACED)}
{_logs_2()}
ALTER TABLE cells DROP CONSTRAINT cells_pkey;
CREATE INDEX cells_by_address ON cells (cube, start, name, profile);
ALTER TABLE cells SET (fillfactor = 100);
CREATE TABLE merged (cube smallint PRIMARY KEY, start integer NOT NULL);
"""
"""No row is written: new rows have the new columns. The indexes that are dropped have others in
their place, which are each day's own (``headway.ledger.stores.postgresql.indexes``): those of the
days so far are built afterwards, beside the traffic. Only that of ``cells`` is built at once, which
takes about a second for a million of them. A part of a cell is a row now; ``cells.parts`` is more
than 1 in older rows.

``merged``: the cells of a cube before ``start`` have one part each, except for those that got
another one late."""
_SAVED = """substring(r.more from '"saved_usd":"([0-9.]+)"')::numeric AS saved_usd"""
VERSION_3 = f"""
ALTER TABLE profiles ADD COLUMN route_name text, ADD COLUMN cache text;
{_logs_2(f", p.route_name, p.cache, {_SAVED}")}
"""
"""Know the route of a record and what the cache did. Records of earlier versions have neither, and
no row is written."""
