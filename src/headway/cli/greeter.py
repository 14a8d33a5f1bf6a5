"""The greeting of ``headway serve --greet``, in a process of its own beside the server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headway.cli.configuration import address
from headway.sdk import ApiError, Client, Unreachable

if TYPE_CHECKING:
    from headway.config import Server

COMMAND = "_greet"


@contextmanager
def greeter(server: Server) -> Iterator[None]:
    """Greets as soon as ``server`` listens, for as long as the block lasts."""
    url = reachable(server)
    if _is_taken(url):  # the server will say so; somebody else's gateway is not to be greeted
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


def _is_taken(url: str) -> bool:
    with Client(url, timeout_s=1.0) as client:
        try:
            client.health()
        except Unreachable:
            return False
        except ApiError:
            pass  # it speaks, if not as a gateway does
        return True


WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  read, not bound


def reachable(server: Server) -> str:
    """Where this machine reaches what is bound to every address."""
    return address(WILDCARDS.get(server.host, server.host), server.port)
