"""Read a YAML file as nodes. Rejects files that are unreadable, too large, not UTF-8, not YAML, or
whose aliases expand to a huge tree.

PyYAML's messages quote the file, so only their fixed parts are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from headway.config.errors import ConfigError, Problem
from headway.config.nodes import BROKEN, Entries, Node, Scalar, Sequence
from headway.config.variable_expansion import VariableError, expand, refers

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_COST = 16 * 1024 * 1024
"""Size of the tree with its aliases expanded: 64 and the text's length for each node. A file of
MAX_BYTES without aliases stays below it; ten levels of ten aliases do not."""

_QUOTED = re.compile(r"\s*(?:'(?!<)[^']{2,}'|\"[^\"]*\")")


def read(file: str, environ: Mapping[str, str], problems: list[Problem]) -> Node:
    """The tree of ``file`` with its variables expanded; errors inside it are added to ``problems``.

    Raises ConfigError if there is no tree.
    """
    text = _decode(file, _bytes(file))
    root = _compose(file, text)
    if root is None:
        return Scalar("", 1, "null")
    return _Converter(file, environ, problems).node(root, "", 0)


def _bytes(file: str) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "failed").lower()
        raise _refusal(file, f"cannot be read: {reason}; name a readable file") from None
    if len(data) > MAX_BYTES:
        raise _refusal(file, "is larger than 1 MiB, the limit for a configuration file")
    return data


def _decode(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(file, "is not UTF-8: save it in that encoding", line) from None


def _compose(file: str, text: str) -> yaml.Node | None:
    """PyYAML's tree, with its Python parser: a deeply nested file raises RecursionError in it, but
    overflows the stack of the C parser."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _refusal(file, _syntax(error), _line(error.problem_mark)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refusal(file, "holds a control character; remove it", line) from None
    except RecursionError:
        raise _refusal(file, "is nested too deeply to be a configuration") from None


def _line(mark: yaml.Mark | None) -> int | None:
    return None if mark is None else mark.line + 1


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    if "'\\t'" in problem:
        return "not YAML: a tab stands where only spaces may; indent with spaces"
    if "got '{'" in problem:
        return "not YAML: a value with braces, between braces, must be in quotes"
    if "single document" in (error.context or ""):
        return "holds more than one YAML document; keep one"
    return f"not YAML: {_QUOTED.sub('', problem)}; mend this line or the one before it"


def _refusal(file: str, message: str, line: int | None = None) -> ConfigError:
    return ConfigError([Problem("", message, file, line)])


class _Converter:
    """Converts PyYAML's nodes. Aliases are expanded, so depth and cost are limited."""

    def __init__(self, file: str, environ: Mapping[str, str], problems: list[Problem]) -> None:
        self.file = file
        self.environ = environ
        self.problems = problems
        self.cost = 0

    def node(self, node: yaml.Node, path: str, depth: int) -> Node:
        self._spend(64, node, depth)
        line = node.start_mark.line + 1
        match node:
            case yaml.ScalarNode():
                return self._scalar(node, path, line)
            case yaml.SequenceNode():
                items = enumerate(node.value)
                return Sequence(
                    tuple(self.node(item, f"{path}[{at}]", depth + 1) for at, item in items), line
                )
            case _:
                return self._entries(node, path, depth)

    def _spend(self, cost: int, node: yaml.Node, depth: int) -> None:
        self.cost += cost
        if self.cost > MAX_COST:
            raise _refusal(self.file, "unfolds into far too much: write its aliases out")
        if depth > MAX_DEPTH:
            line = node.start_mark.line + 1
            raise _refusal(self.file, "is nested too deeply to be a configuration", line)

    def _scalar(self, node: yaml.Node, path: str, line: int) -> Scalar:
        text = node.value
        self._spend(len(text), node, 0)
        tag = node.tag.rpartition(":")[2]
        if not refers(text):
            return Scalar(text, line, tag)
        try:
            return Scalar(expand(text, self.environ), line, tag, expanded=True)
        except VariableError as error:
            self._report(path, str(error), line)
            return Scalar("", line, BROKEN)

    def _entries(self, node: yaml.Node, path: str, depth: int) -> Entries:
        values: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if (wrong := _wrong_key(key, lines)) is not None:
                self._report(path, wrong, line)
                continue
            lines[key.value] = line
            inner = f"{path}.{key.value}" if path else key.value
            values[key.value] = self.node(value, inner, depth + 1)
        return Entries(values, lines, node.start_mark.line + 1)

    def _report(self, path: str, message: str, line: int) -> None:
        self.problems.append(Problem(path, message, self.file, line))


def _wrong_key(key: yaml.Node, lines: Mapping[str, int]) -> str | None:
    """PyYAML silently takes the last of two equal keys, which YAML 1.2, 3.2.1.3, forbids."""
    if not isinstance(key, yaml.ScalarNode):
        return "a key must be plain text"
    if key.tag.endswith(":merge"):
        return "merge keys (<<) are not understood: write the keys out"
    if key.value in lines:
        return f"the key {key.value} is given twice, first in line {lines[key.value]}; keep one"
    return None
