"""The client of one gateway: its engine route, model lists and health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Unpack, overload

from headway.sdk.connections import ConnectionPool, PendingResponse
from headway.sdk.errors import from_response
from headway.sdk.reply import (
    ChatReply,
    Health,
    ProviderDetails,
    ProviderModels,
    parse,
    parse_reply,
)
from headway.sdk.requests import (
    DEFAULT_URL,
    JSON,
    NDJSON,
    ChatInput,
    ChatOptions,
    chat_request,
    models_path,
    providers_path,
)
from headway.sdk.stream import ChatStream

T = TypeVar("T")


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
        **options: Unpack[ChatOptions],
    ) -> ChatReply: ...

    @overload
    def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: Literal[True],
        **options: Unpack[ChatOptions],
    ) -> ChatStream: ...

    def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: bool = False,
        **options: Unpack[ChatOptions],
    ) -> ChatReply | ChatStream:
        """Call ``model``, named ``provider/model``; the model's own name may contain slashes.

        ``parameters`` are OpenAI's; None leaves the gateway's defaults in effect. Raises ValueError
        if ``model`` names no provider, TypeError for an option that ChatOptions does not have.
        """
        path, body = chat_request(model, chat_input, parameters, stream, options)
        if stream:
            return ChatStream(self._open("POST", path, body, NDJSON))
        return parse_reply(self._call("POST", path, body))

    def models(
        self, provider: str | None = None, *, live: bool = False, show_all: bool = False
    ) -> dict[str, ProviderModels]:
        """The models of the providers that can be used without a key of your own, of all providers
        (``show_all``), or of one, by the provider's name. ``live`` asks the providers for their own
        lists, which takes some seconds and their keys."""
        path = models_path(provider, live=live, show_all=show_all)
        if provider is None:
            return self._get(path, dict[str, ProviderModels])
        return {provider: self._get(path, ProviderModels)}

    def providers(self, *, show_all: bool = False) -> list[str]:
        """The names of the providers that can be used without a key of your own, or of all."""
        path = providers_path(show_all=show_all, details=False)
        return self._get(path, list[str])

    def provider_details(self, *, show_all: bool = False) -> dict[str, ProviderDetails]:
        """The same providers with their kinds, and whether the gateway has a key for each."""
        path = providers_path(show_all=show_all, details=True)
        return self._get(path, dict[str, ProviderDetails])

    def health(self) -> Health:
        return self._get("/health", Health)

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _get(self, path: str, type_: type[T]) -> T:
        return parse(self._call("GET", path, None), type_)

    def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        return self._open(method, path, body, JSON).read()

    def _open(self, method: str, path: str, body: bytes | None, accept: str) -> PendingResponse:
        pending = self._connections.open(method, path, body, accept)
        response = pending.response
        if response.status != 200:
            raise from_response(response.status, response.headers, pending.read())
        return pending
