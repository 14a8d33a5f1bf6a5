"""``headway demo``: start a gateway, make one measured call, stop it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from headway.cli import terminal
from headway.cli.first_call import ASKING, STARTUP_S, make_first_call
from headway.cli.gateway_process import gateway
from headway.sdk import Client

SERVE = (sys.executable, "-m", "headway", "serve")
IGNORED_VARIABLES = (
    "HEADWAY_ADMIN_KEYS",
    "HEADWAY_API_KEYS",
    "HEADWAY_LEDGER_SPOOL",
    "HEADWAY_LEDGER_URL",
    "HEADWAY_WORKERS",
)
"""Variables that would change the defaults of the demo's gateway."""


def demo() -> None:
    """Start a gateway, make one measured call, and exit.

    The gateway has the default configuration and a free port. The call is to the local model.
    """
    with TemporaryDirectory(prefix="headway-demo-") as folder:
        arguments = ["--host", "127.0.0.1", "--port", "0", "--config", str(_config(Path(folder)))]
        with gateway([*SERVE, *arguments], _environ(os.environ)) as process:
            with terminal.waiting("starting a gateway", announce=True):
                url = process.url(STARTUP_S)
            with Client(url) as client, terminal.waiting(ASKING, announce=True) as stop_waiting:
                make_first_call(client, stop_waiting)


def _config(folder: Path) -> Path:
    """A configuration of defaults, with the ledger in ``folder``. JSON is valid YAML."""
    file = folder / "headway.yaml"
    file.write_text(json.dumps({"ledger": {"url": f"sqlite:///{folder / 'headway.db'}"}}))
    return file


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in IGNORED_VARIABLES}
