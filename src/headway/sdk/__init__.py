"""The Python SDK: ``Client``, the values that its methods return, and the error that they raise.

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
    ProviderModels,
    Transformation,
)
from headway.sdk.stream import ChatStream

__all__ = [
    "ApiError",
    "ChatChunk",
    "ChatReply",
    "ChatStream",
    "Client",
    "Health",
    "Metrics",
    "ModelDetails",
    "Prices",
    "ProviderModels",
    "Transformation",
    "Unreachable",
]
