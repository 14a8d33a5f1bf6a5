"""Change single leaves of parsed JSON, wherever they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
ODD: tuple[Any, ...] = (None, "", [], {}, False, 0, -1, 1.5, "x", True, 10**30, [None], {"a": 1})


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are no objects or lists with content."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    found = [leaf for name, item in items for leaf in leaves(item, (*path, name))]
    yield from found or [path]


def containers(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all objects and lists inside ``value``."""
    if isinstance(value, dict | list):
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            if isinstance(item, dict | list):
                yield (*path, name)
                yield from containers(item, (*path, name))


def value_at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(value: Any, path: Path, new: Any) -> Any:
    """A copy of ``value`` with ``new`` at ``path``."""
    found = json.loads(json.dumps(value))  # without shared parts
    value_at(found, path[:-1])[path[-1]] = new
    return found


def without_positions(path: Path) -> Path:
    return tuple("*" if isinstance(step, int) else step for step in path)
