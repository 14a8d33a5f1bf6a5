"""Cohere's v2 API: chat and embeddings (docs.cohere.com/reference/chat, /reference/embed)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import RequestError
from headway.providers import model_lists as listing
from headway.providers.base import Provider
from headway.providers.cohere.errors import decode_error
from headway.providers.cohere.messages import conversation
from headway.providers.cohere.parameters import SPELLING, adapt
from headway.providers.cohere.response import decode_event, decode_response
from headway.providers.http_headers import bearer_headers
from headway.providers.openai import provider as openai
from headway.types import (
    ChatRequest,
    Embeddings,
    EmbeddingsRequest,
    HttpRequest,
    Parameter,
    Target,
    Url,
    Usage,
)
from headway.wire.url import join

Fields = dict[str, Any]
VERSIONS = ("/v1", "/v2")
PENALTIES = ("frequency_penalty", "presence_penalty")
"""Some models refuse a request with both (docs.cohere.com/reference/errors): none is not sent."""

_any = msgspec.json.Decoder().decode
_raws = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError for messages that Cohere cannot be given."""
    messages, documents = conversation(request)
    body: Fields = {"model": request.model, "messages": messages, "stream": request.stream}
    body.update(
        (SPELLING.get(name, name), raw)
        for name, raw in request.parameters.items()
        if name not in PENALTIES or _any(raw) != 0
    )
    if documents:
        body["documents"] = [*_raws(request.parameters.get("documents", b"[]")), *documents]
    return HttpRequest(_url(target, "/v2/chat"), _headers(target, request.stream), _encode(body))


def _url(target: Target, path: str) -> Url:
    """Addresses are given with a version in them, and without."""
    return join(_root(target.base_url), path)


@lru_cache(maxsize=256)
def _root(base_url: str) -> str:
    root = base_url.rstrip("/")
    return root[:-3] if root.endswith(VERSIONS) else root


def _headers(target: Target, stream: bool) -> tuple[tuple[str, str], ...]:
    return bearer_headers(target.api_key, tuple(target.headers.items()), stream)


# --- Embeddings -----------------------------------------------------------------------------------

NOT_SENT = ("dimensions", "encoding_format", "user")
"""OpenAI's: renamed, done by the gateway, or of no use there."""
EMBEDDINGS = {"input_type": Raw(b'"search_document"'), "embedding_types": Raw(b'["float"]')}
"""Cohere requires both. Texts to be searched for are what there is most of: whoever embeds the
question gives ``input_type: search_query``."""


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Raises RequestError for an input that is no text."""
    given = request.parameters
    body: Fields = {"model": request.model, "texts": _texts(request.input), **EMBEDDINGS}
    if "dimensions" in given:
        body["output_dimension"] = given["dimensions"]
    body.update((name, raw) for name, raw in given.items() if name not in NOT_SENT)
    return HttpRequest(_url(target, "/v2/embed"), _headers(target, False), _encode(body))


def _texts(raw: Raw) -> list[str]:
    given = _any(raw)
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("Cohere embeds texts, not tokens.", param="input")
    return texts


class Units(Struct):
    input_tokens: float | None = None


class Meta(Struct):
    billed_units: Units | None = None


class EmbeddingsAnswer(Struct):
    embeddings: dict[str, list[list[float] | str]] | list[list[float] | str]
    """By type; v1 gave them bare."""
    meta: Meta | None = None


_embeddings = msgspec.json.Decoder(EmbeddingsAnswer).decode


def decode_embeddings(body: bytes) -> Embeddings:
    """The floats, or the first type that the caller chose in place of them."""
    answer = _embeddings(body)
    found = answer.embeddings
    if isinstance(found, dict):
        found = found.get("float") or next(iter(found.values()))
    billed = ((answer.meta or Meta()).billed_units or Units()).input_tokens
    usage = Usage(input_tokens=None if billed is None else int(billed))
    return Embeddings(vectors=found, usage=usage)


# --- Facts ----------------------------------------------------------------------------------------

TOP_K = Parameter(id="top_k", name="Top K", type="integer", min=0, step=1)
# Of the others it takes up to 1 alone; more, as OpenAI takes it, is clamped and not refused.
PARAMETERS = (*openai.PARAMETERS[:3], TOP_K, *openai.PARAMETERS[3:])
FEATURES = {
    "stream": "native",
    "tools": "native",
    "tool_choice": "partial: a named tool is required by sending no other; none before Command R7B",
    "images": "native",
    "documents": "partial: text, which is sent as `documents`",
    "json_object": "native",
    "json_schema": "native",
    "reasoning": "native: effort is emulated as a budget",
    "citations": "native",
    "logprobs": "partial: without the alternatives",
    "embeddings": "native: `input_type` is search_document unless given",
}

PROVIDER = Provider(
    name="cohere",
    title="Cohere",
    base_url="https://api.cohere.com",
    key_env="CO_API_KEY",
    wire="cohere_v2",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    price_id="cohere",
    list_models=listing.COHERE,
    parameters=PARAMETERS,
    features=FEATURES,
)
