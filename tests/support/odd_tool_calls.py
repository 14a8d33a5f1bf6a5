"""Tool calls in OpenAI's wire format as OpenAI and vendors send them, and what clients get."""

from __future__ import annotations

import json
from typing import Any

NOTHING = {"name": "f", "arguments": None}
A, B = '{"a": 1}', '{"b": [{}]}'


def fragment(index: int | None, name: Any = None, arguments: Any = None, **fields: Any) -> Any:
    """An entry of ``tool_calls``; fields of None are absent, and so are those given as ``...``."""
    function = {"name": name, "arguments": arguments}
    given = {"type": "function", "index": index, **fields}
    entry = {key: value for key, value in given.items() if value not in (None, ...)}
    function = {key: value for key, value in function.items() if value is not None}
    return {"function": function, **entry} if "function" not in entry else entry


# what it shows: the fragments of each delta, and the calls (id, name, arguments), "" for any id
STREAMS: dict[str, tuple[list[list[Any]], list[tuple[str, str, str]]]] = {
    "as OpenAI sends it": (
        [
            [fragment(0, "f", "", id="x")],
            [fragment(0, arguments=A[:3])],
            [fragment(0, arguments=A[3:])],
            [fragment(1, "g", "", id="y")],
            [fragment(1, arguments="{}")],
        ],
        [("x", "f", A), ("y", "g", "{}")],
    ),
    "whole": (
        [[fragment(0, "f", A, id="x")], [fragment(1, "g", B, id="y")]],
        [("x", "f", A), ("y", "g", B)],
    ),
    "a name that comes later": (
        [[fragment(0, arguments=A, id="x")], [fragment(0, "bash")]],
        [("x", "bash", A)],
    ),
    "a name amid the arguments": (
        [[fragment(0, arguments=A[:3], id="x")], [fragment(0, "bash", A[3:])]],
        [("x", "bash", A)],
    ),
    "an empty name first": (
        [[fragment(0, "", "", id="x")], [fragment(0, "bash", A)]],
        [("x", "bash", A)],
    ),
    "an id that comes later": (
        [[fragment(0, "f", A[:3])], [fragment(0, arguments=A[3:])], [fragment(0, id="x")]],
        [("x", "f", A)],
    ),
    "an empty id first": (
        [[fragment(0, "f", "", id="")], [fragment(0, None, A, id="x")]],
        [("x", "f", A)],
    ),
    "no id": (
        [[fragment(0, "f", A)], [fragment(1, "g", "")], [fragment(1, arguments=B)]],
        [("", "f", A), ("", "g", B)],
    ),
    "two without ids at one index": (
        [[fragment(0, "f", A)], [fragment(0, "f", A)]],
        [("", "f", A), ("", "f", A)],
    ),
    "two without ids in fragments at one index": (
        [
            [fragment(0, "f", A[:3])],
            [fragment(0, arguments=A[3:])],
            [fragment(0, "g", B[:3])],
            [fragment(0, arguments=B[3:])],
        ],
        [("", "f", A), ("", "g", B)],
    ),
    "two objects of one call": (
        [[fragment(0, "f", A, id="x")], [fragment(0, arguments=B)]],
        [("x", "f", A), ("", "f", B)],
    ),
    "no index": (
        [[fragment(None, "f", A, id="x"), fragment(None, "g", B, id="y")]],
        [("x", "f", A), ("y", "g", B)],
    ),
    "no index in later fragments": (
        [
            [fragment(None, "f", "", id="x")],
            [fragment(None, arguments=A)],
            [fragment(None, "g", "", id="y")],
            [fragment(None, arguments=B[:2])],
            [fragment(None, arguments=B[2:])],
        ],
        [("x", "f", A), ("y", "g", B)],
    ),
    "no index, and an id in each fragment": (
        [
            [fragment(None, "f", A[:3], id="x")],
            [fragment(None, "g", B[:3], id="y")],
            [fragment(None, arguments=A[3:], id="x"), fragment(None, arguments=B[3:], id="y")],
        ],
        [("x", "f", A), ("y", "g", B)],
    ),
    "no index, in step": (
        [
            [fragment(None, "f", A[:3], id="x"), fragment(None, "g", B[:3], id="y")],
            [fragment(None, arguments=A[3:]), fragment(None, arguments=B[3:])],
        ],
        [("x", "f", A), ("y", "g", B)],
    ),
    "an index that is a text": (
        [[fragment("0", "f", A, id="x")], [fragment("1", "g", B, id="y")]],  # type: ignore[arg-type]
        [("x", "f", A), ("y", "g", B)],
    ),
    "an index with a fraction": (
        [[fragment(0.0, "f", "", id="x")], [fragment(0.0, arguments=A)]],  # type: ignore[arg-type]
        [("x", "f", A)],
    ),
    "an index below zero": ([[fragment(-1, "f", A, id="x")]], [("x", "f", A)]),
    "the first index is 1": (
        [[fragment(1, "f", "", id="x")], [fragment(1, arguments=A)], [fragment(2, "g", B, id="y")]],
        [("x", "f", A), ("y", "g", B)],
    ),
    "an index is left out": (
        [[fragment(0, "f", A, id="x")], [fragment(2, "g", B, id="y")]],
        [("x", "f", A), ("y", "g", B)],
    ),
    "arguments at the wrong index": (
        [[fragment(0, "f", "", id="x")], [fragment(1, arguments=A)]],
        [("x", "f", A)],
    ),
    "no arguments": (
        [[fragment(0, "f", id="x")], [fragment(1, "g", "", id="y")]],
        [("x", "f", "{}"), ("y", "g", "{}")],
    ),
    "arguments of null": (
        [[{"index": 0, "id": "x", "type": "function", "function": NOTHING}]],
        [("x", "f", "{}")],
    ),
    "arguments of the text null": ([[fragment(0, "f", "null", id="x")]], [("x", "f", "{}")]),
    "arguments of null in pieces": (
        [[fragment(0, "f", "", id="x")], [fragment(0, None, "nu")], [fragment(0, None, "ll")]],
        [("x", "f", "{}")],
    ),
    "arguments of white space": ([[fragment(0, "f", " \n", id="x")]], [("x", "f", "{}")]),
    "arguments as an object": (
        [[fragment(0, "f", {"a": 1, "big": 12345678901234567890123}, id="x")]],
        [("x", "f", '{"a":1,"big":12345678901234567890123}')],
    ),
    "arguments as an object later": (
        [[fragment(0, "f", "", id="x")], [fragment(0, None, {"a": 1})]],
        [("x", "f", '{"a":1}')],
    ),
    "arguments as an empty object": ([[fragment(0, "f", {}, id="x")]], [("x", "f", "{}")]),
    "arguments as a list": ([[fragment(0, "f", [], id="x")]], [("x", "f", "{}")]),
    "arguments that are a text of a text": (
        [[fragment(0, "f", json.dumps(A), id="x")]],
        [("x", "f", A)],
    ),
    "arguments that are no object": (
        [[fragment(0, "f", "[1]", id="x")], [fragment(1, "g", "ls -l", id="y")]],
        [("x", "f", '{"arguments":[1]}'), ("y", "g", '{"arguments":"ls -l"}')],
    ),
    "arguments after a placeholder": (
        [[fragment(0, "f", "{}", id="x")], [fragment(0, arguments=A)]],
        [("x", "f", A)],
    ),
    "a placeholder alone": (
        [[fragment(0, "f", "{}", id="x")], [fragment(1, "g", "{}", id="y")]],
        [("x", "f", "{}"), ("y", "g", "{}")],
    ),
    "a name in each fragment": (
        [[fragment(0, "bash", "", id="x")], *([fragment(0, "bash", p)] for p in (A[:3], A[3:]))],
        [("x", "bash", A)],
    ),
    "id and name in each fragment": (
        [[fragment(0, "bash", piece, id="x")] for piece in ("", A[:3], A[3:], "")],
        [("x", "bash", A)],
    ),
    "another id in each fragment": (
        [
            [fragment(0, "bash", "", id="x")],
            [fragment(0, None, A[:3], id="y")],
            [fragment(0, None, A[3:], id="z")],
        ],
        [("x", "bash", A)],
    ),
    "the whole call twice": (
        [[fragment(0, "f", A, id="x")], [fragment(0, "f", A, id="x")]],
        [("x", "f", A)],
    ),
    "one id for all calls": (
        [[fragment(0, "f", A, id="x")], [fragment(1, "g", B, id="x")]],
        [("x", "f", A), ("", "g", B)],
    ),
    "one id and one index for all calls": (
        [[fragment(0, "f", A, id="x")], [fragment(0, "f", B, id="x")]],
        [("x", "f", A), ("", "f", B)],
    ),
    "an id that is a number": ([[fragment(0, "f", A, id=7)]], [("7", "f", A)]),
    "no type": ([[fragment(0, "f", A, id="x", type=...)]], [("x", "f", A)]),
    "a function of null": (
        [[{"index": 0, "id": "x", "function": None}], [fragment(0, "f", A)]],
        [("x", "f", A)],
    ),
    "a fragment that says nothing": (
        [[fragment(0, "f", A, id="x")], [fragment(1, "", "", id="")], [{"index": 0}]],
        [("x", "f", A)],
    ),
    "calls without arguments at one index": (
        [[fragment(0, "f", "", id="x")], [fragment(0, "g", "", id="y")]],
        [("x", "f", "{}"), ("y", "g", "{}")],
    ),
}  # fmt: skip
RELAYED = ("as OpenAI sends it", "whole")
"""Those of which every frame is passed through on /v1."""


# what it shows: the entries of ``tool_calls``, and the calls
WHOLES: dict[str, tuple[list[Any], list[tuple[str, str, str]]]] = {
    "as OpenAI sends it": (
        [fragment(None, "f", A, id="x"), fragment(None, "g", "{}", id="y")],
        [("x", "f", A), ("y", "g", "{}")],
    ),
    "no id": (
        [fragment(None, "f", A), fragment(None, "f", A, id="")],
        [("", "f", A), ("", "f", A)],
    ),
    "one id and one index for all": (
        [fragment(0, "f", A, id="x"), fragment(0, "g", B, id="x")],
        [("x", "f", A), ("", "g", B)],
    ),
    "an id that is a number": ([fragment(0, "f", A, id=7)], [("7", "f", A)]),
    "no type": ([fragment(0, "f", A, id="x", type=...)], [("x", "f", A)]),
    "no arguments": ([fragment(0, "f", id="x")], [("x", "f", "{}")]),
    "empty arguments": ([fragment(0, "f", "", id="x")], [("x", "f", "{}")]),
    "arguments of null": (
        [{"id": "x", "type": "function", "function": NOTHING}],
        [("x", "f", "{}")],
    ),
    "arguments of the text null": ([fragment(0, "f", "null", id="x")], [("x", "f", "{}")]),
    "arguments as an object": ([fragment(0, "f", {"a": 1}, id="x")], [("x", "f", '{"a":1}')]),
    "arguments as a list": ([fragment(0, "f", [], id="x")], [("x", "f", "{}")]),
    "a text of a text": ([fragment(0, "f", json.dumps(A), id="x")], [("x", "f", A)]),
    "no object": (
        [fragment(0, "f", "[1]", id="x"), fragment(0, "g", True, id="y")],
        [("x", "f", '{"arguments":[1]}'), ("y", "g", '{"arguments":true}')],
    ),
    "one that says nothing": (
        [fragment(0, "f", A, id="x"), {"function": None}, fragment(1, "", "", id="")],
        [("x", "f", A)],
    ),
}
