"""The options of ``headway serve``, and what the command does.

Does not import Typer: that takes longer than everything else that a server imports. ``serve`` and
``serve_parser`` both read command lines by this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from headway.cli.configuration import read_config
from headway.cli.errors import usage_error

COMMAND = "serve"


class ServeArguments(Struct, frozen=True, kw_only=True):
    """The parsed command line; None where an option is not given."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    insecure: bool = False
    log_level: str | None = None
    log_format: str | None = None
    log_access: bool = False
    greeting: bool = False


class Option(Struct, frozen=True, kw_only=True):
    """One option of ``headway serve``."""

    flag: str
    help: str
    metavar: str | None = None
    """The name of the value in the help. None: a switch without a value."""
    type: type[str] | type[int] | type[Path] = str
    low: int | None = None
    high: int | None = None

    def parse(self, text: str) -> Any:
        """The value of an argument. Raises ValueError for one that is empty or out of range."""
        if not text or text.startswith("-") or (self.type is int and not text.isascii()):
            raise ValueError(text)  # int() reads any script's digits, Typer only ASCII ones
        value: Any = self.type(text)
        if isinstance(value, int) and not (self.low or 0) <= value <= (self.high or value):
            raise ValueError(text)
        return value


CONFIG = Option(
    flag="--config",
    metavar="FILE",
    type=Path,
    help="The configuration. Without it: $HEADWAY_CONFIG, else ./headway.yaml if there is one.",
)
HOST = Option(flag="--host", metavar="ADDRESS", help="Bind here, in place of server.host.")
PORT = Option(
    flag="--port",
    metavar="PORT",
    type=int,
    low=0,
    high=65535,
    help="In place of server.port; 0 takes a free one.",
)
WORKERS = Option(
    flag="--workers", metavar="N", type=int, low=1, help="Processes, in place of server.workers."
)
INSECURE = Option(flag="--insecure", help="Listen for other machines without server.api_keys.")
LOG_LEVEL = Option(
    flag="--log-level", metavar="LEVEL", help="debug, info, warning or error; server.log.level."
)
LOG_FORMAT = Option(flag="--log-format", metavar="FORMAT", help="text or json; server.log.format.")
LOG_ACCESS = Option(flag="--log-access", help="Log each request; server.log.access.")
GREETING = Option(flag="--greet", help="When ready, call the local model once and print the reply.")

OPTIONS: Mapping[str, Option] = {
    "config": CONFIG,
    "host": HOST,
    "port": PORT,
    "workers": WORKERS,
    "insecure": INSECURE,
    "log_level": LOG_LEVEL,
    "log_format": LOG_FORMAT,
    "log_access": LOG_ACCESS,
    "greeting": GREETING,
}
"""The options by their field of ``ServeArguments``."""


def serve(arguments: ServeArguments) -> int:
    """Serve until a signal stops it. Returns the exit code. Raises CommandError."""
    from headway.config import Overrides

    overrides = Overrides(
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        insecure=arguments.insecure or None,
        log_level=arguments.log_level,
        log_format=arguments.log_format,
        log_access=arguments.log_access or None,
    )
    loaded = read_config(arguments.config, overrides)
    if arguments.greeting and loaded.server.port == 0:
        raise usage_error("--greet needs to know the port", "give --port another number than 0")
    from headway.server.serve import serve as run

    if not arguments.greeting:
        return run(loaded)
    from headway.cli.first_call import first_call_process

    with first_call_process(loaded.server):
        return run(loaded)
