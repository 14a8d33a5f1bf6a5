"""What the matrix knows of a client. Every file of ``programs/`` has one, as ``CLIENT``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALL = "*"


@dataclass(frozen=True)
class Impossible:
    """Cells that cannot exist, and why."""

    reason: str
    wires: Iterable[str] = (ALL,)
    cases: Iterable[str] = (ALL,)

    def covers(self, case: str, wire: str) -> bool:
        return bool({ALL, wire} & {*self.wires}) and bool({ALL, case} & {*self.cases})


@dataclass(frozen=True)
class Client:
    """A client program: rows of the matrix.

    ``command`` is started once, in a directory of its own, with the cells to run in its
    environment, and prints a line of JSON for each; README.md describes both.
    """

    title: str
    dialect: str
    """The gateway's dialect that it speaks, for the reader."""
    cases: tuple[str, ...]
    command: tuple[str, ...]
    impossible: tuple[Impossible, ...] = ()
    environment: Mapping[str, str] | None = None
    """Further variables. ``{url}`` in a value stands for the gateway's base URL."""
    timeout_s: float = 240.0
    wires: tuple[str, ...] = ()
    """The only wires that it runs over, to save time. Empty: all."""

    def reason(self, case: str, wire: str) -> str | None:
        """Why the cell cannot exist; None if it can."""
        return next((each.reason for each in self.impossible if each.covers(case, wire)), None)


NO_REASONING = Impossible(
    "The provider's chat completions tell no reasoning.", ("openai", "azure"), ("reasoning",)
)


def python_command(program: str, environment: str = "clients") -> tuple[str, ...]:
    """To run a Python program, given as its ``__file__``, in ``.venv-<environment>``."""
    return (str(ROOT / f".venv-{environment}" / "bin" / "python"), program)
