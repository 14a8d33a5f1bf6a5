"""``headway check-config``: read the configuration, and print a summary or its errors."""

from __future__ import annotations

from headway.cli import terminal
from headway.cli.configuration import read_config, summary
from headway.cli.options import ConfigPath


def check_config(config: ConfigPath = None) -> None:
    """Check the configuration without serving.

    Prints a summary of it, or all errors with their locations.
    """
    from headway.config import Overrides

    terminal.write(summary(read_config(config, Overrides())))
