"""What a picture shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from page.shell import Shell


def nothing(shell: Shell) -> None:
    pass


@dataclass(frozen=True)
class Picture:
    name: str
    """Of the file, before the theme and the width."""
    fragment: str
    prepare: Callable[[Shell], None] = nothing
    """What a user does before the picture is taken, until all that it shows is there."""
