"""Cohere's embeddings (docs.cohere.com/reference/embed)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import RequestError
from headway.events import Embeddings
from headway.providers.cohere.request import post
from headway.providers.embedding_vectors import check_encoding
from headway.types import EmbeddingsRequest, HttpRequest, Target, Usage
from headway.wire.lenient_json import Count, lenient_decoder

NOT_COPIED = ("dimensions", "encoding_format", "user")
"""OpenAI's parameters that are renamed, handled by the gateway, or unknown to Cohere."""
REQUIRED = {"input_type": Raw(b'"search_document"'), "embedding_types": Raw(b'["float"]')}
"""Cohere requires both. Most embedded texts are documents to search; a client that embeds a search
query gives ``input_type: search_query``."""

_decode = msgspec.json.Decoder().decode


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Raises RequestError for an input of tokens."""
    given = request.parameters
    check_encoding(given)
    body: dict[str, Any] = {"model": request.model, "texts": _texts(request.input), **REQUIRED}
    if "dimensions" in given:
        body["output_dimension"] = given["dimensions"]
    body.update((name, raw) for name, raw in given.items() if name not in NOT_COPIED)
    return post(target, "/v2/embed", body, stream=False)


def _texts(raw: Raw) -> list[str]:
    given = _decode(raw)
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("Cohere embeds texts, not tokens.", param="input")
    return texts


class BilledTokens(Struct):
    input_tokens: Count | None = None


class EmbedMeta(Struct):
    billed_units: BilledTokens | None = None


class EmbedResponse(Struct):
    embeddings: dict[str, list[list[float] | str]] | list[list[float] | str]
    """The vectors by type; a bare list in v1."""
    meta: EmbedMeta | None = None


_decode_response = lenient_decoder(EmbedResponse)


def decode_embeddings(body: bytes) -> Embeddings:
    """The vectors of floats, or of the first other type that the client asked for."""
    response = _decode_response(body)
    vectors = response.embeddings
    if isinstance(vectors, dict):
        vectors = vectors.get("float") or next(iter(vectors.values()))
    billed = ((response.meta or EmbedMeta()).billed_units or BilledTokens()).input_tokens
    return Embeddings(vectors=vectors, usage=Usage(input_tokens=billed))
