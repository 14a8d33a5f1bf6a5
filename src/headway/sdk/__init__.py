"""The Python SDK: ``Client``, ``AsyncClient``, their values, and the error that they raise.

Imports only the standard library and msgspec, so that scripts start quickly.
"""

from headway.sdk.client import Client
from headway.sdk.errors import ApiError, Unreachable
from headway.sdk.reply import (
    ChatChunk,
    ChatReply,
    Health,
    Metrics,
    ModelDetails,
    Prices,
    ProviderDetails,
    ProviderModels,
    Transformation,
)
from headway.sdk.stream import ChatStream

__all__ = [
    "ApiError",
    "AsyncChatStream",
    "AsyncClient",
    "ChatChunk",
    "ChatReply",
    "ChatStream",
    "Client",
    "Health",
    "Metrics",
    "ModelDetails",
    "Prices",
    "ProviderDetails",
    "ProviderModels",
    "Transformation",
    "Unreachable",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headway.sdk.async_client import AsyncClient as AsyncClient
    from headway.sdk.async_stream import AsyncChatStream as AsyncChatStream


def __getattr__(name: str) -> object:
    """Import asyncio only where it is used: it takes longer than all the rest."""
    if name == "AsyncClient":
        from headway.sdk import async_client

        return async_client.AsyncClient
    if name == "AsyncChatStream":
        from headway.sdk import async_stream

        return async_stream.AsyncChatStream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
