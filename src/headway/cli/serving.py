"""What ``headway serve`` can be told, and what it then does.

Free of Typer, for a server: that with what it brings takes longer to import than all else that a
server needs before it listens. ``plain`` and ``serve`` both read command lines by this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from headway.cli.configuration import read_config
from headway.cli.problems import mistake

COMMAND = "serve"


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line says; None: nothing."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    insecure: bool = False
    greeting: bool = False


class Option(Struct, frozen=True, kw_only=True):
    """One option of ``headway serve``."""

    flag: str
    help: str
    metavar: str | None = None
    """What stands for its value in the help; None: it is a switch, and has none."""
    reads: type[str] | type[int] | type[Path] = str
    """What its value becomes."""
    low: int | None = None
    high: int | None = None


CONFIG = Option(
    flag="--config",
    metavar="FILE",
    reads=Path,
    help="The configuration. Without it: $HEADWAY_CONFIG, else ./headway.yaml if there is one.",
)
HOST = Option(flag="--host", metavar="ADDRESS", help="Bind here, in place of server.host.")
PORT = Option(
    flag="--port",
    metavar="PORT",
    reads=int,
    low=0,
    high=65535,
    help="In place of server.port; 0 takes a free one.",
)
WORKERS = Option(
    flag="--workers", metavar="N", reads=int, low=1, help="Processes, in place of server.workers."
)
INSECURE = Option(flag="--insecure", help="Allow others in with no server.api_keys set.")
GREETING = Option(flag="--greet", help="When ready, ask the local model once and show it.")

OPTIONS: Mapping[str, Option] = {
    "config": CONFIG,
    "host": HOST,
    "port": PORT,
    "workers": WORKERS,
    "insecure": INSECURE,
    "greeting": GREETING,
}
"""By the field of ``Asked``."""


def serve(asked: Asked) -> int:
    """Serves until it is told to stop; returns the exit code. Raises Problem."""
    from headway.config import Overrides

    overrides = Overrides(
        host=asked.host,
        port=asked.port,
        workers=asked.workers,
        insecure=asked.insecure or None,
    )
    loaded = read_config(asked.config, overrides)
    if asked.greeting and loaded.server.port == 0:
        raise mistake("--greet needs to know the port", "give --port another number than 0")
    from headway.server.serve import serve as run

    if not asked.greeting:
        return run(loaded)
    from headway.cli.greeter import greeter

    with greeter(loaded.server):
        return run(loaded)
