"""The client of one gateway: its engine route, model lists and health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, overload
from urllib.parse import quote

import msgspec

from headway.sdk.connections import ConnectionPool, PendingResponse
from headway.sdk.errors import from_response
from headway.sdk.reply import ChatReply, Health, ProviderModels, parse, parse_reply
from headway.sdk.stream import ChatStream

DEFAULT_URL = "http://127.0.0.1:8000"
NDJSON = "application/x-ndjson"

T = TypeVar("T")
ChatInput = str | Sequence[Mapping[str, Any]]
"""One user message as a string, or messages in OpenAI's chat format."""


class Client:
    """Calls the gateway at ``url``. Safe to share between threads.

    ``api_key`` is a gateway key, if the gateway requires one. ``timeout_s`` limits the time without
    any data, not the duration of a reply. Every method raises ApiError, or its subclass Unreachable
    if no connection can be made. The constructor raises ValueError for an invalid URL or key.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout_s: float = 600.0
    ) -> None:
        self._connections = ConnectionPool(url, api_key, timeout_s)

    @property
    def url(self) -> str:
        return self._connections.url

    @overload
    def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: Literal[False] = False,
        provider_key: str | None = None,
        session_id: str | None = None,
    ) -> ChatReply: ...

    @overload
    def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: Literal[True],
        provider_key: str | None = None,
        session_id: str | None = None,
    ) -> ChatStream: ...

    def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: bool = False,
        provider_key: str | None = None,
        session_id: str | None = None,
    ) -> ChatReply | ChatStream:
        """Call ``model``, named ``provider/model``; the model's own name may contain slashes.

        ``parameters`` are OpenAI's; None leaves the gateway's defaults in effect. ``provider_key``
        replaces the provider key in the gateway's configuration. Raises ValueError if ``model``
        names no provider.
        """
        provider, name = split_model(model)
        fields = {
            "model": name,
            "chat_input": chat_input,
            "parameters": parameters,
            "is_stream": stream,
            "api_key": provider_key,
            "session_id": session_id,
        }
        body = msgspec.json.encode({k: v for k, v in fields.items() if v is not None})
        path = f"/api/engine/chat/{quote(provider, safe='')}"
        if stream:
            return ChatStream(self._open("POST", path, body, NDJSON))
        return parse_reply(self._call("POST", path, body))

    def models(self, provider: str | None = None) -> dict[str, ProviderModels]:
        """The models of all configured providers, or of one, by the provider's name."""
        path = "/api/engine/models"
        if provider is None:
            return self._get(path, dict[str, ProviderModels])
        return {provider: self._get(f"{path}?provider={quote(provider, safe='')}", ProviderModels)}

    def providers(self) -> list[str]:
        """The names of the configured providers."""
        return self._get("/api/engine/providers", list[str])

    def health(self) -> Health:
        return self._get("/health", Health)

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _get(self, path: str, type_: type[T]) -> T:
        return parse(self._call("GET", path, None), type_)

    def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        return self._open(method, path, body, "application/json").read()

    def _open(self, method: str, path: str, body: bytes | None, accept: str) -> PendingResponse:
        pending = self._connections.open(method, path, body, accept)
        response = pending.response
        if response.status != 200:
            raise from_response(response.status, response.headers, pending.read())
        return pending


def split_model(model: str) -> tuple[str, str]:
    """Split ``provider/model`` at its first slash. Raises ValueError if a part is missing."""
    provider, slash, name = model.partition("/")
    if not (provider and slash and name):
        raise ValueError(f"model must be named provider/model, such as openai/gpt-4o: {model!r}")
    return provider, name
