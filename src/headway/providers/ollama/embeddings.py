"""Ollama's embeddings: its own /api/embed (docs.ollama.com/api/embed), and OpenAI's under /v1."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.events import Embeddings
from headway.providers.embedding_vectors import check_encoding
from headway.providers.ollama.request import openai_target, post, uses_openai_api
from headway.providers.openai import embeddings as openai_embeddings
from headway.types import EmbeddingsRequest, HttpRequest, Target, Usage
from headway.wire.lenient_json import Count, lenient_decoder

NOT_COPIED = ("encoding_format", "user")
"""OpenAI's parameters that the gateway handles, or that Ollama does not know."""


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    if uses_openai_api(target):
        return openai_embeddings.encode_embeddings(request, openai_target(target))
    body: dict[str, Any] = {"model": request.model, "input": request.input}
    if request.native is not None:
        return post(target, "/api/embed", {**body, **request.native.fields})
    check_encoding(request.parameters)
    body.update((name, raw) for name, raw in request.parameters.items() if name not in NOT_COPIED)
    return post(target, "/api/embed", body)


class EmbedResponse(Struct):
    embeddings: list[list[float] | str] | None = None
    model: str | None = None
    prompt_eval_count: Count | None = None


_decode_response = lenient_decoder(EmbedResponse)


def decode_embeddings(body: bytes) -> Embeddings:
    """Raises ValueError for a response without vectors."""
    response = _decode_response(body)
    if response.embeddings is None:
        return openai_embeddings.decode_embeddings(body)
    usage = Usage(input_tokens=response.prompt_eval_count)
    return Embeddings(vectors=response.embeddings, usage=usage, model=response.model)
