"""What the client sends: paths and bodies of the engine's routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

import msgspec

DEFAULT_URL = "http://127.0.0.1:8000"
JSON = "application/json"
NDJSON = "application/x-ndjson"

ChatInput = str | Sequence[Mapping[str, Any]]
"""One user message as a string, or messages in OpenAI's chat format."""


class ChatOptions(TypedDict, total=False):
    """Options of one call; None is the same as leaving it out."""

    provider_key: str | None
    """Replaces the provider key in the gateway's configuration."""
    base_url: str | None
    """Replaces the provider's address, if the gateway allows that."""
    session_id: str | None
    """Stored with the record, and part of the reply."""
    session: Mapping[str, Any] | None
    """``{"remember": True}`` puts the session's earlier turns before this one, ``max_turns`` (50)
    at most, where the gateway keeps content."""
    retries: int | None
    """Further attempts after an error that a retry could help, 0 to 10."""
    strict: bool | None
    """Refuse a request that the gateway would have to change for the provider."""


FIELD_NAMES = {name: name for name in ChatOptions.__annotations__} | {"provider_key": "api_key"}
"""Option -> field of the engine route."""


def chat_request(
    model: str,
    chat_input: ChatInput,
    parameters: Mapping[str, Any] | None,
    stream: bool,
    options: ChatOptions,
) -> tuple[str, bytes]:
    """The path and the body of a chat call. Raises ValueError if ``model`` names no provider,
    TypeError for an unknown option."""
    provider, name = split_model(model)
    if unknown := sorted(options.keys() - FIELD_NAMES.keys()):
        raise TypeError(f"chat() has no option {unknown[0]!r}; it has {', '.join(FIELD_NAMES)}")
    fields = {
        "model": name,
        "chat_input": chat_input,
        "parameters": parameters,
        "is_stream": stream,
        **{FIELD_NAMES[option]: value for option, value in options.items()},
    }
    body = msgspec.json.encode({k: v for k, v in fields.items() if v is not None})
    return f"/api/engine/chat/{quote(provider, safe='')}", body


def models_path(provider: str | None, *, live: bool, show_all: bool) -> str:
    return _path("/api/engine/models", provider=provider, live=live, all=show_all)


def providers_path(*, show_all: bool, details: bool) -> str:
    return _path("/api/engine/providers", all=show_all, details=details)


def _path(path: str, **query: str | bool | None) -> str:
    """``path`` with the values of ``query`` that are neither None nor false."""
    given = {name: "1" if value is True else value for name, value in query.items() if value}
    return path + (f"?{urlencode(given)}" if given else "")


def split_model(model: str) -> tuple[str, str]:
    """Split ``provider/model`` at its first slash. Raises ValueError if a part is missing."""
    provider, slash, name = model.partition("/")
    if not (provider and slash and name):
        raise ValueError(f"model must be named provider/model, such as openai/gpt-4o: {model!r}")
    return provider, name
