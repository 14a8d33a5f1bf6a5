"""``headway serve`` for Typer: its help, and arguments that ``serve_parser`` does not parse."""

from __future__ import annotations

from typing import Annotated

import typer

from headway.cli import serve_options, terminal
from headway.cli.first_call import ASKING, make_first_call, wait_until_healthy
from headway.cli.options import ConfigPath, connect, typer_option
from headway.cli.serve_options import (
    GREETING,
    HOST,
    INSECURE,
    LOG_ACCESS,
    LOG_FORMAT,
    LOG_LEVEL,
    PORT,
    WORKERS,
    ServeArguments,
)


def serve(
    config: ConfigPath = None,
    host: Annotated[str | None, typer_option(HOST)] = None,
    port: Annotated[int | None, typer_option(PORT)] = None,
    workers: Annotated[int | None, typer_option(WORKERS)] = None,
    insecure: Annotated[bool, typer_option(INSECURE)] = False,
    log_level: Annotated[str | None, typer_option(LOG_LEVEL)] = None,
    log_format: Annotated[str | None, typer_option(LOG_FORMAT)] = None,
    log_access: Annotated[bool, typer_option(LOG_ACCESS)] = False,
    greeting: Annotated[bool, typer_option(GREETING)] = False,
) -> None:
    """Run the gateway until Ctrl-C.

    SIGHUP reads the configuration again; requests under way keep the old one.
    """
    arguments = ServeArguments(
        config=config,
        host=host,
        port=port,
        workers=workers,
        insecure=insecure,
        log_level=log_level,
        log_format=log_format,
        log_access=log_access,
        greeting=greeting,
    )
    raise typer.Exit(serve_options.serve(arguments))


def make_first_call_when_ready(
    url: Annotated[str, typer.Argument()],
    api_key: Annotated[str | None, typer.Option(envvar="HEADWAY_API_KEY")] = None,
) -> None:
    """The process that ``serve --greet`` starts."""
    with connect(url, api_key) as client:
        wait_until_healthy(client)
        terminal.note(f"{ASKING} ...")
        make_first_call(client)
        terminal.note(f"serving on {client.url}, documentation at {client.url}/docs, Ctrl-C stops")
