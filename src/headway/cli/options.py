"""Options that several commands share, and the client that they describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headway.cli.errors import usage_error
from headway.cli.serve_options import CONFIG, Option
from headway.sdk import Client
from headway.sdk.requests import DEFAULT_URL

Url = Annotated[
    str, typer.Option(envvar="HEADWAY_URL", metavar="URL", help="The address of the gateway.")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_API_KEY",
        metavar="KEY",
        help="The gateway key, if the gateway requires one. The variable is safer.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the JSON of the reply.")]
RecordsAsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the HTTP API has it.")]


ShowAll = Annotated[
    bool, typer.Option("--all", help="Also what can be used only with a key of your own.")
]


def typer_option(option: Option) -> Any:
    """An option of ``headway serve`` as a Typer option."""
    return typer.Option(
        option.flag, metavar=option.metavar, help=option.help, min=option.low, max=option.high
    )


ConfigPath = Annotated[Path | None, typer_option(CONFIG)]

__all__ = [
    "DEFAULT_URL",
    "ApiKey",
    "AsJson",
    "ConfigPath",
    "RecordsAsJson",
    "ShowAll",
    "Url",
    "connect",
    "typer_option",
]


def connect(url: str, api_key: str | None) -> Client:
    try:
        return Client(url, api_key=api_key)
    except ValueError as error:
        raise usage_error(str(error)) from error
