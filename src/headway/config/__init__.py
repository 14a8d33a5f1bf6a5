"""The configuration: the only place where files and the environment are read."""

from headway.config.errors import ConfigError, Problem
from headway.config.loader import apply_overrides, load
from headway.config.schema import Config, KindInfo, Ledger, Overrides, Price, Provider, Server
from headway.config.secret import Secret
from headway.config.settings import help_of

__all__ = [
    "Config",
    "ConfigError",
    "KindInfo",
    "Ledger",
    "Overrides",
    "Price",
    "Problem",
    "Provider",
    "Secret",
    "Server",
    "apply_overrides",
    "help_of",
    "load",
]
