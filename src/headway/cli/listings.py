"""``headway models`` and ``headway providers``: a table, or lines or JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer

from headway.cli import terminal
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, ShowAll, Url, connect
from headway.sdk import ProviderDetails, ProviderModels
from headway.sdk.reply import ModelDetails, Prices

MODEL_COLUMNS = ("Model", "Context", "Input $/M", "Output $/M", "Provider")
PROVIDER_COLUMNS = ("Provider", "Name", "Models", "Key")
UNKNOWN_MODEL = ModelDetails()


def models(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="Only the models of this provider.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the providers for their own lists, with their keys.")
    ] = False,
    show_all: ShowAll = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """List the models that can be used, by the names that `chat -m` takes.

    With the context window in tokens, and prices in US dollars per million tokens; what is unknown
    is empty.
    """
    with connect(url, api_key) as client, terminal.waiting("waiting for the lists"):
        found = client.models(provider, live=live, show_all=show_all)
    if as_json:
        return terminal.write_json(msgspec.json.encode(found))
    rows = [
        (f"{key}/{model}", *_described(one.details.get(model, UNKNOWN_MODEL)), one.name)
        for key, one in found.items()
        for model in one.models
    ]
    if rows:
        terminal.write_rows(MODEL_COLUMNS, rows)
    for line in _explain(found, live=live):
        terminal.note(line)
    if provider is None:
        _note_the_rest(show_all)
    return None


def providers(
    show_all: ShowAll = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """List the providers that can be used, how many models each has, and which have a key."""
    with connect(url, api_key) as client:
        found = client.provider_details(show_all=show_all)
        if as_json:
            return terminal.write_json(msgspec.json.encode(found))
        models = client.models(show_all=show_all)
    rows = [
        (name, one.name, str(len(models[name].models)) if name in models else "", _key(one))
        for name, one in found.items()
    ]
    terminal.write_rows(PROVIDER_COLUMNS, rows)
    return _note_the_rest(show_all)


def _key(provider: ProviderDetails) -> str:
    """Whether the gateway has a key; empty where it needs none."""
    if provider.has_key is None:
        return ""
    if provider.has_key:
        return "yes"
    return f"no: set {provider.key_variable}" if provider.key_variable else "no"


def _note_the_rest(show_all: bool) -> None:
    """On a terminal only: a script knows what it asked for."""
    if not show_all and terminal.is_terminal():
        terminal.note("This is what can be used here; --all lists what needs a key of your own.")


def _described(model: ModelDetails) -> tuple[str, str, str]:
    prices = model.prices or model.listed_prices or Prices()
    window = "" if model.context_window is None else str(model.context_window)
    return window, _amount(prices.input), _amount(prices.output)


def _amount(dollars: float | None) -> str:
    return "" if dollars is None else f"{dollars:.10f}".rstrip("0").rstrip(".")


def _explain(found: Mapping[str, ProviderModels], *, live: bool) -> list[str]:
    """Why a list that was asked for is not there, and why a table is empty."""
    lines = [
        f"{key}: {one.error.get('message', 'its list could not be fetched')}"
        for key, one in found.items()
        if one.error is not None
    ]
    if lines or any(one.models for one in found.values()):
        return lines
    if live:
        return ["no provider lists a model"]
    return [
        "no model is known here; any name that the provider has can be called, "
        "and --live asks the provider for its list"
    ]
