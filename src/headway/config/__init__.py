"""The configuration: the only place where files and the environment are read."""

from headway.config.errors import ConfigError, Problem
from headway.config.loader import load
from headway.config.schema import (
    Cache,
    Config,
    KindInfo,
    Ledger,
    Log,
    Overrides,
    Price,
    Provider,
    SemanticCache,
    Server,
)
from headway.config.secret import Secret

__all__ = [
    "Cache",
    "Config",
    "ConfigError",
    "KindInfo",
    "Ledger",
    "Log",
    "Overrides",
    "Price",
    "Problem",
    "Provider",
    "Secret",
    "SemanticCache",
    "Server",
    "load",
]
