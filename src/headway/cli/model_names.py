"""Check the name of a model, and suggest those that the gateway has."""

from __future__ import annotations

from headway.cli.errors import usage_error
from headway.sdk import ApiError, Client
from headway.sdk.requests import split_model

TIMEOUT_S = 2.0
MAX_SUGGESTIONS = 3


def check_model(model: str, url: str | None = None, api_key: str | None = None) -> None:
    """Raises CommandError if ``model`` names no provider. If there is a ``url``, its gateway is
    asked which models it could mean."""
    try:
        split_model(model)
    except ValueError as error:
        similar = [] if url is None else _similar(model, url, api_key)
        raise usage_error(str(error), _hint(similar)) from error


def _hint(similar: list[str]) -> str:
    if not similar:
        return "`headway models` lists them"
    return f"did you mean {' or '.join(similar)}? `headway models` lists them all"


def _similar(model: str, url: str, api_key: str | None) -> list[str]:
    """Full names of models with this name, else with a similar one; none without a gateway."""
    try:
        with Client(url, api_key=api_key, timeout_s=TIMEOUT_S) as client:
            found = client.models()
    except (ApiError, ValueError):
        return []
    named = [(name, f"{provider}/{name}") for provider, one in found.items() for name in one.models]
    same = [full for name, full in named if name == model]
    if same:
        return same[:MAX_SUGGESTIONS]
    from difflib import get_close_matches  # needed for wrong names only

    first = dict(reversed(named))
    return [first[name] for name in get_close_matches(model, first, n=MAX_SUGGESTIONS)]
