"""``headway check-config``: read the configuration, and print a summary or its errors."""

from __future__ import annotations

from headway.cli import terminal
from headway.cli.configuration import read_config, summary
from headway.cli.errors import usage_error
from headway.cli.options import ConfigPath


def check_config(config: ConfigPath = None) -> None:
    """Check the configuration without serving.

    Prints a summary of it, or all errors with their locations.
    """
    from headway.config import Overrides
    from headway.ledger import spool_check

    loaded = read_config(config, Overrides())
    ledger = loaded.ledger
    problem = spool_check.find_missing_library(str(ledger.url), ledger.archive)
    problem = problem or spool_check.find_problem(ledger.spool, creates=False)
    if problem is not None:
        raise usage_error(problem)
    terminal.write(summary(loaded))
