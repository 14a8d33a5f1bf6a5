"""``python -m headway.ledger.docs``: the fields of a record as Markdown, for docs/ledger.md.

The meanings are the docstrings of the struct's fields, which exist in the source only.
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

Every attempt to answer a request leaves one record: answered, failed, cancelled, or refused before
any provider was asked. It is on disk before the caller sees the end of the answer.

## Where

Records go to an append-only spool beside the ledger: with `ledger: {url: sqlite:////var/lib/hw.db}`
to `/var/lib/hw.db.spool.jsonl`, one JSON object a line, readable by its owner only. Several
processes may append to one spool.

- A record survives `kill -9` of the gateway. The file is not synced for each record, so a power cut
  may lose the last seconds.
- A reader must bear an empty line and a torn one (a full disk, a kill in the middle of a write):
  neither takes its neighbours with it. `id` tells whether a record was stored already.
- The file may be moved away at any time: within a second a new one is begun, and the old one holds
  every line until then. Deleting it loses those.
- When the disk refuses a record the answer still goes to the caller. The log says so once, and once
  more when writing works again, with the number of records lost.

## A record

No prompt, no answer and no key is in it. `null` is unknown, never 0. Fields are only added; `v`
changes when the meaning of one does. Times are seconds, sizes bytes.

| field | type | meaning |
|---|---|---|
"""

_SHOWN = {
    "str": "string",
    "float": "number",
    "int": "integer",
    "bool": "boolean",
    "tuple[str, ...]": "list of strings",
    "Outcome": "string",
    "TokensSource": "string",
}


def markdown() -> str:
    return INTRODUCTION + "".join(
        f"| `{name}` | {kind} | {meaning} |\n" for name, kind, meaning in fields()
    )


def fields() -> Iterator[tuple[str, str, str]]:
    """Name, JSON type and meaning of each field of a record, in the order of writing."""
    tree = ast.parse(inspect.getsource(record))
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == Record.__name__
    )
    found = {}
    for at, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _kind(node.annotation), _docstring(body[at + 1])
    for name in Record.__struct_fields__:
        yield name, *found[name]


def _kind(annotation: ast.expr) -> str:
    first, *rest = ast.unparse(annotation).split(" | ")
    return f"{_SHOWN[first]} or null" if rest else _SHOWN[first]


def _docstring(node: ast.stmt) -> str:
    text = ast.literal_eval(node.value) if isinstance(node, ast.Expr) else ""
    return " ".join(str(text).split())


if __name__ == "__main__":
    sys.stdout.write(markdown())
