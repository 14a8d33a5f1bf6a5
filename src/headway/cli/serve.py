"""``headway serve`` for Typer: its help, and whatever ``plain`` does not read by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from headway.cli import serving, terminal
from headway.cli.greeting import ASKING, greet, wait_until_healthy
from headway.cli.options import ConfigPath, connect, declared
from headway.cli.serving import GREETING, HOST, INSECURE, PORT, WORKERS, Asked


def serve(
    config: ConfigPath = None,
    host: Annotated[str | None, declared(HOST)] = None,
    port: Annotated[int | None, declared(PORT)] = None,
    workers: Annotated[int | None, declared(WORKERS)] = None,
    insecure: Annotated[bool, declared(INSECURE)] = False,
    greeting: Annotated[bool, declared(GREETING)] = False,
) -> None:
    """Run the gateway until Ctrl-C.

    SIGHUP reads the configuration again; requests under way keep the old one.
    """
    asked = Asked(
        config=config,
        host=host,
        port=port,
        workers=workers,
        insecure=insecure,
        greeting=greeting,
    )
    raise typer.Exit(serving.serve(asked))


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
