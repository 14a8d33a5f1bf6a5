"""``python -m headway.ledger.docs`` writes docs/ledger.md: the fields of a record as Markdown.

The descriptions are the docstrings of the struct's fields, which only the source has.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator

from headway import record
from headway.ledger.docs_content import CONTENT
from headway.ledger.durability_docs import DURABILITY
from headway.ledger.parquet import columns
from headway.ledger.postgresql_docs import POSTGRESQL
from headway.ledger.sqlite_docs import SQLITE
from headway.record import Record

INTRODUCTION = """\
# The ledger

Every attempt has one record, whether it succeeds, fails or is cancelled; so has a request that is
refused before any attempt. The record is on disk before the client receives the end of the reply.

"""
RECORD = """\
## A record

It contains no prompt, no output and no key. `null` is unknown, never 0. Fields are only added; `v`
changes when the meaning of a field changes. In the spool, fields with their default are left out:
`null`, empty lists and objects, and `v`, `attempt` and `attempts` of 1, `is_last` of `true`, `role`
of `first`, `content` of `off`, `is_drained` of `false`. Times are in seconds, sizes in bytes.

| field | type | meaning |
|---|---|---|
"""

QUESTIONS = """
## Questions

`headway logs`, `usage`, `sessions`, `export` and `replay` ask on the command line
([docs/cli.md](cli.md)), a running server over HTTP ([docs/http-api.md](http-api.md)). Both take the
same parameters, and answer with the same JSON:

```console
$ curl -s 'localhost:8000/api/logs?since=24h&status=4xx,5xx&limit=100'
$ curl -s 'localhost:8000/api/usage?by=model,day&since=7d&compare=previous'
$ curl -sN 'localhost:8000/api/logs?follow=1&tag=team:search'
$ curl -s 'localhost:8000/api/export?format=csv&since=2026-11' > november.csv
```

- A call is found by the `id` of its reply, and by the `x-request-id` of its request.
- A call is a row; its attempts are in `/api/logs/{id}`. Tokens and times of a row are those of the
  last attempt, its cost is that of all.
- `cost_confidence` says what a cost rests on: `reported` (the provider's own figure, or its counts
  of tokens), `counted` (by the gateway, of the complete response) or `estimated` (of a part).
- `route`, `role` and `cache` are filters: of the configured route (`route_name` of a record), of
  why an attempt was made, and of what the cache did. `by=route` and `by=cache` group usage.
- What was sent to a provider costs, whoever sees the answer; calls are those of clients. So the
  copies of a route's `shadow` (role `shadow`), and a hedge that lost (error type `hedge_lost`),
  count in `attempts`, tokens and cost, and not in `calls`, `failed`, means and percentiles. A hedge
  that lost is an attempt of its call. A copy has an id of its own, and `shadow_of` names the call
  that it is a copy of; `/api/logs` lists copies only with `role=shadow`, exports have them all.
- `saved_usd` is what the cache saved: `cost_usd` does not contain it.
- Percentiles are read from merged histograms: within 1% of a value that occurred.
- `by=minute` and `by=five_minutes` are for up to six hours: they are added up from the records, all
  longer times come from sums.
- Times of single events are not kept: `gaps` of an attempt in `/api/logs/{id}` is a histogram of
  how far apart they were, and `times` has the moments of its steps.
- `/api/logs/facets` counts which values the newest 5,000 calls have, for choosing filters;
  `/api/feedback` lists what was said of replies, by its label.
- Without `server.api_keys` everyone who reaches the server sees all records. With them each key
  sees its own, and those in `server.admin_keys` see all.
"""
ARCHIVE = """
## The archive

With `ledger: {archive: /var/lib/headway-archive}`, or `s3://bucket/prefix`, the records of each
hour are copied to Parquet files ten minutes after its end, in UTC:
`date=2026-11-29/hour=13/part-<database>-<digest>-<rows>.parquet`, compressed with Zstandard. It
needs the extra `archive` (`pip install 'headway[archive]'`), and for S3 the usual environment
variables and files of AWS (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` for
servers that speak S3's protocol).

- A file appears when it is complete. In a directory it is synced to the disk before.
- A record is in one file. Records that reach the database later than that get another file of
  their hour. Several databases may share one archive; several gateways on one database archive it
  once.
- Retention does not touch the archive. Delete whole days as you like: what the database still has
  of them is archived again when the gateway next starts.
- The messages of calls, and feedback, are not in it.

DuckDB reads it as it is:

```sql
select date, model, sum(cost_usd) from read_parquet('/var/lib/headway-archive/**/*.parquet')
group by all order by all;
```

The columns are the fields of a record, under their names, in their units. Exports as Parquet have
the same columns. Texts are `string`, integers `bigint`, other numbers `double`, true and false
`boolean`; the rest:

| column | type |
|---|---|
"""
ARCHIVE_END = """
Amounts are rounded to 18 digits after the point. Where that changes an amount, or it does not fit,
`cost_usd_text` and `cost_computed_usd_text` have it exactly; everywhere else they are `null`.
"""

_JSON_TYPES = {
    "str": "string",
    "float": "number",
    "int": "integer",
    "bool": "boolean",
    "tuple[str, ...]": "list of strings",
    "Mapping[str, str]": "object of strings",
    "CostSource": "string",
    "Outcome": "string",
    "AttemptRole": "string",
    "CacheStatus": "string",
    "ContentMode": "string",
    "Mapping[str, Raw]": "object",
    "tuple[LineItem, ...]": "list of lists: kind, quantity, unit price in US dollars",
    "tuple[tuple[int, int], ...]": "list of pairs of integers",
    "TokensSource": "string",
}


def markdown() -> str:
    table = "".join(f"| `{name}` | {kind} | {meaning} |\n" for name, kind, meaning in fields())
    parts = (INTRODUCTION, DURABILITY, RECORD, table, QUESTIONS, CONTENT, SQLITE, POSTGRESQL)
    return "".join(parts) + archive_section()


def archive_section() -> str:
    plain = ("string", "bigint", "double", "boolean")
    types = {column.name: f"`{column.type}`" for column in columns() if column.type not in plain}
    types["parameters"] = "`string`, an object as JSON"
    rows = "".join(f"| `{name}` | {kind} |\n" for name, kind in types.items())
    return ARCHIVE + rows + ARCHIVE_END


def fields() -> Iterator[tuple[str, str, str]]:
    """Name, JSON type and description of each field of a record, in the order of writing."""
    tree = ast.parse(inspect.getsource(record))
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == Record.__name__
    )
    found = {}
    for at, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _json_type(node.annotation), _docstring(body[at + 1])
    for name in Record.__struct_fields__:
        yield name, *found[name]


def _json_type(annotation: ast.expr) -> str:
    first, *rest = ast.unparse(annotation).split(" | ")
    return f"{_JSON_TYPES[first]} or null" if rest else _JSON_TYPES[first]


def _docstring(node: ast.stmt) -> str:
    text = ast.literal_eval(node.value) if isinstance(node, ast.Expr) else ""
    return " ".join(str(text).split())


if __name__ == "__main__":
    sys.stdout.write(markdown())
