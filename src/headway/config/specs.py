"""How a key of the configuration is declared: its type, its meaning, its variable and its flag."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from headway.config.value_types import ValueType


class ListType(Struct, frozen=True):
    """A list of values of one type."""

    item: ValueType | Forms


class Table(Struct, frozen=True):
    """A mapping whose keys the user chooses."""

    key: str
    """A word for the keys, as in ``providers.<name>``."""
    name: ValueType
    value: ValueType | Section | Table | Forms
    reserved: Mapping[str, Key] = {}
    """Keys that are no name of the user's, with a meaning of their own."""


class Section(Struct, frozen=True):
    """A mapping whose keys are known."""

    keys: Mapping[str, Key]
    struct: type[Struct] | None = None
    """The struct with the defaults."""
    is_open: bool = False
    """Unknown keys are kept as nodes, to be checked by the kind."""


class Forms(Struct, frozen=True):
    """A value that may be written in several forms, told apart by what it is in YAML."""

    text: ValueType | None = None
    list: ListType | None = None
    mapping: Section | None = None

    @property
    def description(self) -> str:
        """Completes the message "must be ..."."""
        found = [] if self.text is None else [self.text.description]
        if self.list is not None:
            found.append(f"a list, each {self.list.item.description}")
        if self.mapping is not None:
            keys = ", ".join([*self.mapping.keys][:3])
            found.append(f"a mapping with keys such as {keys}")
        return ", or ".join(found)


class Free(Struct, frozen=True):
    """A mapping of any names to any values, kept as plain Python values."""

    description: str


Spec = ValueType | ListType | Table | Section | Forms | Free


class Key(Struct, frozen=True):
    spec: Spec
    help: str
    env: str | None = None
    """The environment variable that sets it too; lists are separated by commas."""
    flag: str | None = None
    """The flag of ``headway serve`` that sets it too."""
    default: str | None = None
    """The default in words, where it is not the struct's."""


def default_of(section: Section, name: str) -> object:
    """The default in the section's struct; ``msgspec.NODEFAULT`` if it has none."""
    if section.struct is None:
        return msgspec.NODEFAULT
    fields = {field.name: field for field in msgspec.structs.fields(section.struct)}
    return fields[name].default if name in fields else msgspec.NODEFAULT
