"""The client: one gateway, its engine route and the routes beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, overload
from urllib.parse import quote

import msgspec

from headway.sdk.connections import Connections, Exchange
from headway.sdk.errors import from_response
from headway.sdk.reply import ChatReply, Health, ProviderModels, parse, parse_reply
from headway.sdk.stream import ChatStream

DEFAULT_URL = "http://127.0.0.1:8000"
NDJSON = "application/x-ndjson"

T = TypeVar("T")
ChatInput = str | Sequence[Mapping[str, Any]]
"""A string is one user message; else messages in OpenAI's chat format."""


class Client:
    """A gateway at ``url``, called with ``api_key`` if it wants one. Threads may share it.

    ``timeout_s`` is the longest silence to bear, not the longest answer. Every method raises
    ApiError, or its subclass Unreachable where nothing answers. The constructor raises ValueError
    for what is not a URL.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout_s: float = 600.0
    ) -> None:
        self._connections = Connections(url, api_key, timeout_s)

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
        """Ask ``model``, named ``provider/model``; what follows the first slash is the provider's.

        ``parameters`` are OpenAI's; None leaves the gateway's defaults in effect. ``provider_key``
        is the key for the provider, where the gateway is not to use its own. ValueError if
        ``model`` names no provider.
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
        """The models by configured provider, of all of them or of one."""
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
        """Close the connections that are kept for further calls."""
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _get(self, path: str, kind: type[T]) -> T:
        return parse(self._call("GET", path, None), kind)

    def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        return self._open(method, path, body, "application/json").read()

    def _open(self, method: str, path: str, body: bytes | None, accept: str) -> Exchange:
        exchange = self._connections.open(method, path, body, accept)
        response = exchange.response
        if response.status != 200:
            raise from_response(response.status, response.headers, exchange.read())
        return exchange


def split_model(model: str) -> tuple[str, str]:
    """``provider/model`` in two; the model's own name may hold slashes. Raises ValueError."""
    provider, slash, name = model.partition("/")
    if not (provider and slash and name):
        raise ValueError(f"model must be named provider/model, such as openai/gpt-4o: {model!r}")
    return provider, name
