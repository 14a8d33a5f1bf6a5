"""The first call: the sample of the contract, sent to the local model, and its reply printed.

``headway demo`` makes it, and ``headway serve --greet`` in a separate process, so that it
does not affect the server's measured times.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headway.cli import terminal
from headway.cli.configuration import address
from headway.cli.errors import UNREACHABLE, CommandError
from headway.cli.metrics_line import metrics_line
from headway.sdk import ApiError, Client, Unreachable

if TYPE_CHECKING:
    from headway.config import Server

COMMAND = "_greet"
DEFAULT_MODEL = "local/smollm2-135m-instruct"
HELLO = "Hello! Who are you?"
ASKING = f"asking {DEFAULT_MODEL}: {HELLO} (it may take some seconds to load)"
STARTUP_S = 30.0
"""Time limit for a gateway to start listening."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  not bound to


def make_first_call(client: Client, stop_waiting: Callable[[], None] = lambda: None) -> None:
    """Print the whole reply as JSON to stdout and its metrics to stderr. Raises ApiError."""
    reply = client.chat(DEFAULT_MODEL, HELLO)
    stop_waiting()
    terminal.write_json(reply.raw)
    finish = reply.choices[0].get("finish_reason") if reply.choices else None
    terminal.note(metrics_line(DEFAULT_MODEL, reply.metrics, finish))


def wait_until_healthy(client: Client, seconds: float = STARTUP_S) -> None:
    """Return when the gateway responds. Raises CommandError if it does not in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            client.health()
        except Unreachable:
            time.sleep(0.05)
        else:
            return
    raise CommandError(f"the gateway at {client.url} did not start to listen", code=UNREACHABLE)


@contextmanager
def first_call_process(server: Server) -> Iterator[None]:
    """Make the first call from another process as soon as ``server`` listens. The process is
    terminated at the end of the block."""
    url = client_address(server)
    if _is_taken(url):  # another server listens there; ours will report that
        yield
        return
    keys = {"HEADWAY_API_KEY": str(server.api_keys[0])} if server.api_keys else {}
    command = [sys.executable, "-m", "headway", COMMAND, url]
    process = subprocess.Popen(  # noqa: S603
        command, env={**os.environ, **keys}, stdin=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def client_address(server: Server) -> str:
    """The URL at which a client on this machine reaches ``server``, also one bound to all."""
    return address(WILDCARDS.get(server.host, server.host), server.port)


def _is_taken(url: str) -> bool:
    with Client(url, timeout_s=1.0) as client:
        try:
            client.health()
        except Unreachable:
            return False
        except ApiError:
            pass  # some other HTTP server
        return True
