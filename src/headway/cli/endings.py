"""How a command ends that did not go as it should: in words on stderr, and by an exit code."""

from __future__ import annotations

from headway.cli import problems, terminal

SILENT = (KeyboardInterrupt, BrokenPipeError)
"""What the user did: nobody has to be told."""


def tell(error: Exception | KeyboardInterrupt) -> int:
    """Says what ``error`` means to the user. Returns the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return problems.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        terminal.abandon_stdout()
        return problems.BROKEN_PIPE
    problem = problems.describe(error)
    terminal.tell(problem)
    return problem.code
