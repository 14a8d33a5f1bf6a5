"""A configuration file as a tree of what was written, each with its line: no types chosen yet.

Texts stay as they stand in the file, so that 0.1 can become exactly 0.1; ``tag`` says what YAML
takes the text for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

NULL = "null"
BROKEN = "broken"
"""The tag of a text that was reported already: readers pass over it in silence."""


class Scalar(Struct, frozen=True):
    text: str
    line: int | None = None
    tag: str = "str"
    """YAML's name: str, int, float, bool, null, timestamp; or BROKEN."""
    expanded: bool = False
    """It comes from the environment, which has texts only: any form that fits is right."""


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
    """The node as Python's own types: what a kind's options are given as."""
    match node:
        case Scalar():
            return _plain_scalar(node)
        case Sequence():
            return [plain(item) for item in node.items]
        case Entries():
            return {key: plain(value) for key, value in node.values.items()}


def _plain_scalar(node: Scalar) -> object:
    """YAML 1.1 takes 1:30 for an integer in base 60 and 010 for 8: those stay text."""
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
