"""Convert nodes to values by the declarations in settings.py, and collect every error.

A value that is absent, null or wrong is left out of the result, so that the struct's default
applies until the errors are reported.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.config.errors import Problem, suggestion
from headway.config.nodes import BROKEN, NULL, Entries, Node, Scalar, Sequence, plain
from headway.config.specs import Forms, Free, ListType, Section, Spec, Table
from headway.config.value_types import InvalidValueError, ValueType, value_of

REST = "*"
"""The entry of an open section's values that holds the nodes of unknown keys."""

Nothing = msgspec.UNSET


class Reader:
    """Reads one source: a file, the environment or the command line."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.lines: dict[str, int | None] = {}
        """The line of every key seen, by its path."""

    def report(self, path: str, message: str, line: int | None = None) -> None:
        place = line if line is not None else self.lines.get(path)
        self.problems.append(Problem(path, message, self.source, place))

    def read(self, spec: Spec, node: Node, path: str) -> Any:
        """The value of ``node``, or Nothing. A section and a table give a dict, a list a tuple."""
        if isinstance(node, Scalar) and node.tag in (NULL, BROKEN):
            return Nothing
        match spec:
            case ValueType():
                return self._form(spec, node, path)
            case ListType():
                return self._list(spec, node, path)
            case Table():
                return self._table(spec, node, path)
            case Section():
                return self._section(spec, node, path)
            case Forms():
                return self._one_of_forms(spec, node, path)
            case Free():
                return self._free(spec, node, path)

    def _form(self, form: ValueType, node: Node, path: str) -> Any:
        if not isinstance(node, Scalar):
            return self._wrong(path, f"must be {form.description}", node)
        try:
            return value_of(form, node)
        except InvalidValueError as error:
            return self._wrong(path, str(error), node)

    def _one_of_forms(self, spec: Forms, node: Node, path: str) -> Any:
        match node:
            case Scalar() if spec.text is not None:
                return self._form(spec.text, node, path)
            case Sequence() if spec.list is not None:
                return self._list(spec.list, node, path)
            case Entries() if spec.mapping is not None:
                return self._section(spec.mapping, node, path)
        return self._wrong(path, f"must be {spec.description}", node)

    def _free(self, spec: Free, node: Node, path: str) -> Any:
        if not isinstance(node, Entries):
            return self._wrong(path, f"must be a mapping of {spec.description}", node)
        return {name: plain(child) for name, _, child in self._children(node, path)}

    def _list(self, spec: ListType, node: Node, path: str) -> Any:
        if not isinstance(node, Sequence):
            return self._wrong(path, f"must be a list, each {spec.item.description}", node)
        values = []
        for at, item in enumerate(node.items):
            inner = f"{path}[{at}]"
            self.lines[inner] = item.line
            values.append(self._item(spec, item, inner))
        return tuple(value for value in values if value is not Nothing)

    def _item(self, spec: ListType, node: Node, path: str) -> Any:
        if isinstance(node, Scalar) and node.tag == NULL:
            return self._wrong(path, f"must be {spec.item.description}; it is empty", node)
        return self.read(spec.item, node, path)

    def _table(self, spec: Table, node: Node, path: str) -> Any:
        if not isinstance(node, Entries):
            return self._wrong(path, f"must be a mapping from each {spec.key} to its own", node)
        found = {}
        for name, inner, child in self._children(node, path):
            if name in spec.reserved:
                found[name] = self._reserved(spec, name, child, inner)
                continue
            try:
                spec.name.read(name)
            except InvalidValueError as error:
                message = str(error) or f"must be named by {spec.name.description}"
                self.report(inner, message)
                continue
            value = self.read(spec.value, child, inner)
            if value is Nothing and isinstance(spec.value, (Section, Table)):
                value = {}
            found[name] = value
        return {name: value for name, value in found.items() if value is not Nothing}

    def _reserved(self, spec: Table, name: str, node: Node, path: str) -> Any:
        if isinstance(node, Entries):
            message = "is a reserved key, which takes a list: choose another name"
            return self._wrong(path, message, node)
        return self.read(spec.reserved[name].spec, node, path)

    def _section(self, spec: Section, node: Node, path: str) -> Any:
        if not isinstance(node, Entries):
            known = ", ".join(spec.keys)
            return self._wrong(path, f"must be a mapping with keys such as {known}", node)
        found: dict[str, Any] = {}
        rest: dict[str, Node] = {}
        for name, inner, child in self._children(node, path):
            if (key := spec.keys.get(name)) is not None:
                found[name] = self.read(key.spec, child, inner)
            elif spec.is_open:
                rest[name] = child
            else:
                self.report(inner, f"unknown key; {_suggest(name, spec, path)}")
        given = {name: value for name, value in found.items() if value is not Nothing}
        return {**given, REST: rest} if spec.is_open else given

    def _children(self, node: Entries, path: str) -> list[tuple[str, str, Node]]:
        """Name, path and node of each key; records the line of each."""
        children = []
        for name, child in node.values.items():
            inner = f"{path}.{name}" if path else name
            self.lines[inner] = node.lines.get(name)
            children.append((name, inner, child))
        return children

    def _wrong(self, path: str, message: str, node: Node) -> Any:
        self.report(path, message, node.line)
        return Nothing


def _suggest(name: str, spec: Section, path: str) -> str:
    """The similar key of this section, or the same key of a section in it."""
    for outer, key in spec.keys.items():
        if isinstance(key.spec, Section) and name in key.spec.keys:
            return f"did you mean {'.'.join(filter(None, (path, outer, name)))}?"
    return suggestion(name, spec.keys)
