"""Nodes to values, by the declarations of settings.py. Every problem is kept, none stops the rest.

A value that is absent, null or wrong is left out of what is returned, so that the struct's default
stands in until the problems are shown.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.config.forms import Form, FormError, value_of
from headway.config.nodes import BROKEN, NULL, Entries, Node, Scalar, Sequence
from headway.config.report import Problem, suggestion
from headway.config.settings import Listing, Section, Spec, Table

REST = "*"
"""Under this name an open section's reading holds the nodes of the keys that it does not know."""

Nothing = msgspec.UNSET


class Reader:
    """Reads one source: a file, the environment or the command line."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.lines: dict[str, int | None] = {}
        """The line of every key that was seen, by its path."""

    def report(self, path: str, message: str, line: int | None = None) -> None:
        place = line if line is not None else self.lines.get(path)
        self.problems.append(Problem(path, message, self.source, place))

    def read(self, spec: Spec, node: Node, path: str) -> Any:
        """The value of ``node``, or Nothing. A section and a table give a dict, a list a tuple."""
        if isinstance(node, Scalar) and node.tag in (NULL, BROKEN):
            return Nothing
        match spec:
            case Form():
                return self._form(spec, node, path)
            case Listing():
                return self._list(spec, node, path)
            case Table():
                return self._table(spec, node, path)
            case Section():
                return self._section(spec, node, path)

    def _form(self, form: Form, node: Node, path: str) -> Any:
        if not isinstance(node, Scalar):
            return self._wrong(path, f"must be {form.phrase}", node)
        try:
            return value_of(form, node)
        except FormError as error:
            return self._wrong(path, str(error), node)

    def _list(self, spec: Listing, node: Node, path: str) -> Any:
        if not isinstance(node, Sequence):
            return self._wrong(path, f"must be a list, each {spec.item.phrase}", node)
        values = [self._item(spec, item, f"{path}[{at}]") for at, item in enumerate(node.items)]
        return tuple(value for value in values if value is not Nothing)

    def _item(self, spec: Listing, node: Node, path: str) -> Any:
        if isinstance(node, Scalar) and node.tag == NULL:
            return self._wrong(path, f"must be {spec.item.phrase}; it is empty", node)
        return self.read(spec.item, node, path)

    def _table(self, spec: Table, node: Node, path: str) -> Any:
        if not isinstance(node, Entries):
            return self._wrong(path, f"must be a mapping from each {spec.key} to its own", node)
        found = {}
        for name, inner, child in self._children(node, path):
            try:
                spec.name.read(name)
            except FormError as error:
                message = str(error) or f"must be named by {spec.name.phrase}"
                self.report(inner, message)
                continue
            value = self.read(spec.value, child, inner)
            if value is Nothing and not isinstance(spec.value, Form):
                value = {}
            found[name] = value
        return {name: value for name, value in found.items() if value is not Nothing}

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
                self.report(inner, f"unknown key; {suggestion(name, spec.keys)}")
        given = {name: value for name, value in found.items() if value is not Nothing}
        return {**given, REST: rest} if spec.is_open else given

    def _children(self, node: Entries, path: str) -> list[tuple[str, str, Node]]:
        """Name, path and node of each key; notes where each stands."""
        children = []
        for name, child in node.values.items():
            inner = f"{path}.{name}" if path else name
            self.lines[inner] = node.lines.get(name)
            children.append((name, inner, child))
        return children

    def _wrong(self, path: str, message: str, node: Node) -> Any:
        self.report(path, message, node.line)
        return Nothing
