"""``headway demo``: a gateway of its own, one measured call, and out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from headway.cli import terminal
from headway.cli.child import gateway
from headway.cli.greeting import ASKING, STARTUP_S, greet
from headway.sdk import Client

SERVE = (sys.executable, "-m", "headway", "serve")
CONFIGURING = ("HEADWAY_API_KEYS", "HEADWAY_LEDGER_URL", "HEADWAY_WORKERS")
"""Variables that would make it another gateway than the one that everybody gets."""


def demo() -> None:
    """Make one measured call on a gateway of its own, and exit.

    Starts it with defaults on a free port, asks the local model, prints the reply, stops it.
    """
    with TemporaryDirectory(prefix="headway-demo-") as folder:
        arguments = ["--host", "127.0.0.1", "--port", "0", "--config", str(_config(Path(folder)))]
        with gateway([*SERVE, *arguments], _environ(os.environ)) as process:
            with terminal.waiting("starting a gateway", announce=True):
                url = process.url(STARTUP_S)
            with Client(url) as client, terminal.waiting(ASKING, announce=True) as stop_waiting:
                greet(client, stop_waiting)


def _config(folder: Path) -> Path:
    """The defaults, with records that go when the demo goes. JSON is YAML."""
    file = folder / "headway.yaml"
    file.write_text(json.dumps({"ledger": {"url": f"sqlite:///{folder / 'headway.db'}"}}))
    return file


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in CONFIGURING}
