"""Errors of a configuration, reported all at once, each with its location and remedy.

Rule: a message never repeats a value, because any value may be a key in the wrong place. It names
the location and what would be valid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One error."""

    path: str
    """The dotted path of the key, the variable or the flag; "" for the file as a whole."""
    message: str
    source: str
    """The file as the user named it, ``environment`` or ``command line``."""
    line: int | None = None
    """Counted from 1; None if the source has no lines."""

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(Exception):
    """The configuration is invalid. ``str`` is one line for each problem, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_order))
        super().__init__("\n".join(map(str, self.problems)))


def _order(problem: Problem) -> tuple[bool, str, int]:
    """The file first, by line; then problems without a line."""
    return problem.line is None, problem.source, problem.line or 0


def suggestion(name: str, known: Collection[str]) -> str:
    """``did you mean base_url?`` where one is similar, else all known names."""
    from difflib import get_close_matches  # needed for invalid files only

    near = get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
