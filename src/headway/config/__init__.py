"""The configuration: the only place where files and the environment are read."""

from __future__ import annotations

from headway.config.schema import Config, KindInfo, Ledger, Overrides, Price, Provider, Server
from headway.config.secret import Secret

__all__ = [
    "Config",
    "KindInfo",
    "Ledger",
    "Overrides",
    "Price",
    "Provider",
    "Secret",
    "Server",
]
