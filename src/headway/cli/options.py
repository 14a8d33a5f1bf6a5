"""Options that several commands share, and the client that they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headway.cli.problems import mistake
from headway.cli.serving import CONFIG, Option
from headway.sdk import Client
from headway.sdk.client import DEFAULT_URL

Url = Annotated[
    str, typer.Option(envvar="HEADWAY_URL", metavar="URL", help="Where the gateway listens.")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_API_KEY",
        metavar="KEY",
        help="The gateway's own key, if it wants one. The variable is the safer place.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the gateway answered.")]


def declared(option: Option) -> Any:
    """An option of ``headway serve`` as Typer takes it."""
    return typer.Option(
        option.flag,
        metavar=option.metavar,
        help=option.help,
        min=option.low,
        max=option.high,
    )


ConfigPath = Annotated[Path | None, declared(CONFIG)]

__all__ = ["DEFAULT_URL", "ApiKey", "AsJson", "ConfigPath", "Url", "connect", "declared"]


def connect(url: str, api_key: str | None) -> Client:
    try:
        return Client(url, api_key=api_key)
    except ValueError as error:
        raise mistake(str(error)) from error
