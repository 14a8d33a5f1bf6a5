"""``headway models`` and ``headway providers``: a table, or lines or JSON for scripts."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from headway.cli import terminal
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, Url, connect


def models(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="Only the models of this provider.")
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """List the models, by the names that `chat -m` takes."""
    with connect(url, api_key) as client:
        found = client.models(provider)
    if as_json:
        return terminal.write_json(msgspec.json.encode(found))
    rows = [(f"{key}/{model}", one.name) for key, one in found.items() for model in one.models]
    return terminal.write_rows(("Model", "Provider"), rows)


def providers(as_json: AsJson = False, url: Url = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """List the configured providers and how many models each has."""
    with connect(url, api_key) as client:
        names = client.providers()
        if as_json:
            return terminal.write_json(msgspec.json.encode(names))
        found = client.models()
    rows = [
        (name, found[name].name, str(len(found[name].models))) if name in found else (name, "", "")
        for name in names
    ]
    return terminal.write_rows(("Provider", "Name", "Models"), rows)
