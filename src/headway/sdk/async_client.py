"""The client of one gateway for asyncio: `Client`'s methods as coroutines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Unpack, overload

from headway.sdk.async_connections import AsyncConnectionPool, AsyncResponse
from headway.sdk.async_stream import AsyncChatStream
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

T = TypeVar("T")


class AsyncClient:
    """As `Client`, for the tasks of one event loop. A cancelled call is cancelled upstream, too."""

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout_s: float = 600.0
    ) -> None:
        self._connections = AsyncConnectionPool(url, api_key, timeout_s)

    @property
    def url(self) -> str:
        return self._connections.url

    @overload
    async def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: Literal[False] = False,
        **options: Unpack[ChatOptions],
    ) -> ChatReply: ...

    @overload
    async def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: Literal[True],
        **options: Unpack[ChatOptions],
    ) -> AsyncChatStream: ...

    async def chat(
        self,
        model: str,
        chat_input: ChatInput,
        parameters: Mapping[str, Any] | None = None,
        *,
        stream: bool = False,
        **options: Unpack[ChatOptions],
    ) -> ChatReply | AsyncChatStream:
        """As `Client.chat`."""
        path, body = chat_request(model, chat_input, parameters, stream, options)
        if stream:
            return AsyncChatStream(await self._open("POST", path, body, NDJSON))
        return parse_reply(await self._call("POST", path, body))

    async def models(
        self, provider: str | None = None, *, live: bool = False, show_all: bool = False
    ) -> dict[str, ProviderModels]:
        """As `Client.models`."""
        path = models_path(provider, live=live, show_all=show_all)
        if provider is None:
            return await self._get(path, dict[str, ProviderModels])
        return {provider: await self._get(path, ProviderModels)}

    async def providers(self, *, show_all: bool = False) -> list[str]:
        """The names of the providers that can be used without a key of your own, or of all."""
        path = providers_path(show_all=show_all, details=False)
        return await self._get(path, list[str])

    async def provider_details(self, *, show_all: bool = False) -> dict[str, ProviderDetails]:
        """The same providers with their kinds, and whether the gateway has a key for each."""
        path = providers_path(show_all=show_all, details=True)
        return await self._get(path, dict[str, ProviderDetails])

    async def health(self) -> Health:
        return await self._get("/health", Health)

    async def close(self) -> None:
        """Close the idle connections."""
        await self._connections.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def _get(self, path: str, type_: type[T]) -> T:
        return parse(await self._call("GET", path, None), type_)

    async def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        return await (await self._open(method, path, body, JSON)).read()

    async def _open(self, method: str, path: str, body: bytes | None, accept: str) -> AsyncResponse:
        response = await self._connections.open(method, path, body, accept)
        if response.status != 200:
            raise from_response(response.status, response.headers, await response.read())
        return response
