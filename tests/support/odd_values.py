"""Change single leaves of parsed JSON, wherever they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from support.wire_scripts import TEXT, Event

Path = tuple[str | int, ...]
ODD: tuple[Any, ...] = (None, "", [], {}, False, 0, -1, 1.5, "x", True, 10**30, [None], {"a": 1})


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are no objects or lists with content."""
    if not value or not isinstance(value, dict | list):
        yield path
        return
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        if item and isinstance(item, dict | list):
            yield from leaves(item, (*path, name))
        else:
            yield (*path, name)


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
    if not path:
        return new
    found = value.copy()  # of what is on the way; all else is shared, and nobody changes it
    found[path[0]] = changed(value[path[0]], path[1:], new)
    return found


def without_positions(path: Path) -> Path:
    return tuple("*" if isinstance(step, int) else step for step in path)


SEEDS = st.integers(0, 2**32)
"""Of ``Random``: hypothesis' own draws take longer than the tests that need them."""
STRUCTURE = ("type", "thought", "index", "output_index", "contentBlockIndex", "message")
"""Fields that decide what a text is, or where it belongs."""


def _is_needed(value: Any, path: Path) -> bool:
    """The text, and what decides what a text is."""
    text = json.dumps(value_at(value, path))
    return (
        any(json.dumps(piece) in text for piece in (*TEXT, "".join(TEXT)))
        or path[-1] in (*STRUCTURE, "text", "content", "error", "arguments", "finishReason")
        or any(name in path[-2:] for name in ("content", "choices", "parts"))
    )


def optional_paths(value: Any) -> tuple[Path, ...]:
    return _optional_paths_of(json.dumps(value))


@cache
def _optional_paths_of(text: str) -> tuple[Path, ...]:
    value = json.loads(text)
    found = [*leaves(value), *containers(value)]
    return tuple(path for path in found if not _is_needed(value, path))


def change_often(value: Any, chance: Random) -> Any:
    """``value`` with up to four odd values anywhere."""
    for _ in range(chance.randint(1, 4)):
        if paths := [path for path in [*leaves(value), *containers(value)] if path]:
            value = changed(value, chance.choice(paths), chance.choice(ODD))
    return value


def change_stream(events: list[Event], chance: Random) -> list[Event]:
    """``events`` with odd values in some, some left out, in another order."""
    found = [
        (name, change_often(value, chance) if chance.random() < 0.5 else value)
        for name, value in events
        if chance.randrange(10)
    ]
    if chance.randrange(5) == 0:
        chance.shuffle(found)
    return found
