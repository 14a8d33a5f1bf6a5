"""A client for a gateway: ``Client``, what it answers with, and the one error it raises.

Stands on the standard library and msgspec alone, so that a script that imports it starts at once.
"""

from headway.sdk.client import Client
from headway.sdk.errors import ApiError, Unreachable
from headway.sdk.reply import ChatChunk, ChatReply, Health, Metrics, ProviderModels
from headway.sdk.stream import ChatStream

__all__ = [
    "ApiError",
    "ChatChunk",
    "ChatReply",
    "ChatStream",
    "Client",
    "Health",
    "Metrics",
    "ProviderModels",
    "Unreachable",
]
