"""One vendor that speaks OpenAI's wire, as a row of a table, and what rows share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from headway.errors import UpstreamError
from headway.providers import model_lists as listing
from headway.providers.model_lists import ModelList
from headway.providers.openai import provider as openai
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai.errors import decode_error
from headway.providers.openai.messages import MessageRules
from headway.providers.openai_compatible.request_rules import Rules
from headway.providers.openai_compatible.request_transforms import Mend
from headway.providers.openai_compatible.response_transforms import Judge, Reader
from headway.types import (
    ChatRequest,
    Embeddings,
    EmbeddingsRequest,
    Headers,
    HttpRequest,
    Target,
)


class Place(Struct, frozen=True):
    """An address that a configuration key fills in."""

    option: str
    meaning: str
    template: str


class Row(Struct, frozen=True, kw_only=True):
    """Its title, address and key's name are in ``kinds.TABLE``."""

    kind: str
    price_id: str | None = None
    rules: Rules = Rules()
    mends: tuple[Mend, ...] = ()
    """Before the rules: what they have no words for."""
    readers: tuple[Reader, ...] = ()
    judge: Judge | None = None
    decode_error: Callable[[int, Headers, bytes], UpstreamError] = decode_error
    encode: Callable[[ChatRequest, Target], HttpRequest] = openai.encode_request
    wire: str = openai.PROVIDER.wire
    place: Place | None = None
    list_models: ModelList | None = listing.OPENAI
    embeddings: bool = True
    encode_embeddings: Callable[[EmbeddingsRequest, Target], HttpRequest] = encode_embeddings
    decode_embeddings: Callable[[bytes], Embeddings] = decode_embeddings
    capabilities: Mapping[str, str] = {}


STRICT_MESSAGES = MessageRules(
    dropped=dict.fromkeys(
        ("annotations", "audio", "cache_control", "is_error", "reasoning_details", "refusal"),
        "the vendor refuses messages with it",
    ),
    renamed={"reasoning_content": "reasoning"},
    developer="system",
)
UNDERSTOOD = MessageRules()
"""Routers to OpenAI's own models, which know the role ``developer``."""
RENAMED = {"max_completion_tokens": "max_tokens"}
PENALTIES = ("frequency_penalty", "presence_penalty")


BASIC = {"stream": "native", "tools": "native", "tool_choice": "native", "json_object": "native"}
OPEN_MODELS = {
    **BASIC,
    "images": "native: models that see",
    "json_schema": "native",
    "reasoning": "partial: models that reason give their text",
    "logprobs": "native",
}
"""What servers of open models do alike; the model decides."""
SERVED = {**OPEN_MODELS, "embeddings": "native"}
"""The same, of one's own server."""
