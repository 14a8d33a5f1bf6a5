"""``python -m headway.ledger.docs`` writes docs/ledger.md: the fields of a record as Markdown.

The descriptions are the docstrings of the struct's fields, which only the source has.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator

from headway import record
from headway.record import Record

INTRODUCTION = """\
# The ledger

Every attempt has one record, whether it succeeds, fails or is cancelled; so has a request that is
refused before any attempt. The record is on disk before the client receives the end of the reply.

## Where

Records are appended to a spool file next to the ledger: with `ledger: {url: sqlite:////var/lib/hw.db}`
to `/var/lib/hw.db.spool.jsonl`, one JSON object per line, readable by its owner only. Several
processes may append to one spool.

- A record survives `kill -9` of the gateway. The file is not synced after each record, so a power
  failure may lose the last seconds.
- A reader must accept an empty line and a torn one (a full disk, a kill during a write); the lines
  before and after it are intact. `id` shows whether a record was stored already.
- The file may be moved at any time: within a second the gateway starts a new one, and the old one
  holds every line until then. Deleting it loses those lines.
- If a record cannot be written, the client still gets the reply. The log has one message then, and
  one when writing works again, with the number of lost records.

## A record

It contains no prompt, no output and no key. `null` is unknown, never 0. Fields are only added; `v`
changes when the meaning of a field changes. Times are in seconds, sizes in bytes.

| field | type | meaning |
|---|---|---|
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
    "ContentMode": "string",
    "Mapping[str, Raw]": "object",
    "tuple[LineItem, ...]": "list of lists: kind, quantity, unit price in US dollars",
    "tuple[tuple[int, int], ...]": "list of pairs of integers",
    "TokensSource": "string",
}


def markdown() -> str:
    return INTRODUCTION + "".join(
        f"| `{name}` | {kind} | {meaning} |\n" for name, kind, meaning in fields()
    )


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
