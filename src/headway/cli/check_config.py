"""``headway check-config``."""

from __future__ import annotations

from headway.cli import terminal
from headway.cli.configuration import read_config, summary
from headway.cli.options import ConfigPath


def check_config(config: ConfigPath = None) -> None:
    """Check the configuration without serving.

    Says what it amounts to, or all that is wrong with it, and where.
    """
    from headway.config import Overrides

    terminal.write(summary(read_config(config, Overrides())))
