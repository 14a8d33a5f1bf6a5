"""A configuration file as a tree of untyped nodes, each with its line.

Texts are kept as written, so that 0.1 stays exact; ``tag`` is the type that YAML assigns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

NULL = "null"
BROKEN = "broken"
"""The tag of a text whose error was reported already: readers ignore it."""


class Scalar(Struct, frozen=True):
    text: str
    line: int | None = None
    tag: str = "str"
    """YAML's name: str, int, float, bool, null, timestamp; or BROKEN."""
    expanded: bool = False
    """The text comes from an environment variable, so its YAML tag does not matter."""


class Sequence(Struct, frozen=True):
    items: tuple[Node, ...]
    line: int | None = None


class Entries(Struct, frozen=True):
    """A mapping; ``lines`` holds the lines of its keys."""

    values: Mapping[str, Node]
    lines: Mapping[str, int]
    line: int | None = None


Node = Scalar | Sequence | Entries

_NUMBERS = {
    "int": (re.compile(r"[-+]?(0|[1-9][0-9]{0,18})"), int),
    "float": (re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?"), float),
}


def plain(node: Node) -> object:
    """The node as plain Python values, for the options of a kind."""
    match node:
        case Scalar():
            return _plain_scalar(node)
        case Sequence():
            return [plain(item) for item in node.items]
        case Entries():
            return {key: plain(value) for key, value in node.values.items()}


def _plain_scalar(node: Scalar) -> object:
    """YAML 1.1 parses 1:30 as a base-60 integer and 010 as 8: those stay text."""
    if node.tag in (NULL, BROKEN):
        return None
    if node.tag == "bool":
        return node.text.lower() in TRUE
    pattern, convert = _NUMBERS.get(node.tag, (None, None))
    if pattern is None or convert is None or not pattern.fullmatch(node.text):
        return node.text
    return convert(node.text)


TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})
