"""``headway serve``: the gateway itself, in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import terminal
from headway.cli.configuration import address, read_config
from headway.cli.greeting import ASKING, greet, wait_until_healthy
from headway.cli.options import ConfigPath, connect
from headway.cli.problems import mistake
from headway.sdk import ApiError, Client, Unreachable

if TYPE_CHECKING:
    from headway.config import Server

GREET = "_greet"


def serve(
    config: ConfigPath = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Bind here, in place of server.host.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="In place of server.port; 0 takes a free one."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes, in place of server.workers.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow others in with no server.api_keys set.")
    ] = False,
    greeting: Annotated[
        bool, typer.Option("--greet", help="When ready, ask the local model once and show it.")
    ] = False,
) -> None:
    """Run the gateway until Ctrl-C.

    SIGHUP reads the configuration again; requests under way keep the old one.
    """
    from headway.config import Overrides

    overrides = Overrides(host=host, port=port, workers=workers, insecure=insecure or None)
    loaded = read_config(config, overrides)
    if greeting and loaded.server.port == 0:
        raise mistake("--greet needs to know the port", "give --port another number than 0")
    from headway.server.run import serve as run

    with _greeter(loaded.server) if greeting else nullcontext():
        code = run(loaded)
    raise typer.Exit(code)


def greet_when_ready(
    url: Annotated[str, typer.Argument()],
    api_key: Annotated[str | None, typer.Option(envvar="HEADWAY_API_KEY")] = None,
) -> None:
    """What ``serve --greet`` runs beside the server, as any client would: in a process of its own,
    so that nothing of it counts in the server's times."""
    with connect(url, api_key) as client:
        wait_until_healthy(client)
        terminal.note(f"{ASKING} ...")
        greet(client)
        terminal.note(f"serving on {client.url}, documentation at {client.url}/docs, Ctrl-C stops")


@contextmanager
def _greeter(server: Server) -> Iterator[None]:
    url = reachable(server)
    if _is_taken(url):  # the server will say so; somebody else's gateway is not to be greeted
        yield
        return
    keys = {"HEADWAY_API_KEY": str(server.api_keys[0])} if server.api_keys else {}
    command = [sys.executable, "-m", "headway", GREET, url]
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
