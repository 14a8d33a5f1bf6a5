"""The first call: the contract's sample, asked of the model on this machine, and shown."""

from __future__ import annotations

import time
from collections.abc import Callable

from headway.cli import terminal
from headway.cli.chat import DEFAULT_MODEL
from headway.cli.metrics_line import metrics_line
from headway.cli.problems import UNREACHABLE, Problem
from headway.sdk import Client, Unreachable

HELLO = "Hello! Who are you?"
ASKING = f"asking {DEFAULT_MODEL}: {HELLO} (it may take some seconds to load)"
STARTUP_S = 30.0
"""How long a gateway that was just started may take to listen."""


def greet(client: Client, stop_waiting: Callable[[], None] = lambda: None) -> None:
    """Ask; print the whole reply as JSON to stdout and its metrics to stderr. Raises ApiError."""
    reply = client.chat(DEFAULT_MODEL, HELLO)
    stop_waiting()
    terminal.write_json(reply.raw)
    finish = reply.choices[0].get("finish_reason") if reply.choices else None
    terminal.note(metrics_line(DEFAULT_MODEL, reply.metrics, finish))


def wait_until_healthy(client: Client, seconds: float = STARTUP_S) -> None:
    """Returns when the gateway answers. Raises Problem when it does not in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            client.health()
        except Unreachable:
            time.sleep(0.05)
        else:
            return
    raise Problem(f"the gateway at {client.url} did not start to listen", code=UNREACHABLE)
