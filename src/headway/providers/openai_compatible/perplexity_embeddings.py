"""Perplexity's embeddings (docs.perplexity.ai, Embeddings): OpenAI's shape beneath ``/v1``, where
chat is not, and vectors as base64 of signed bytes, where OpenAI's are of float32."""

from __future__ import annotations

from array import array
from base64 import b64decode

from msgspec.structs import replace

from headway.providers.openai import embeddings as openai_embeddings
from headway.types import Embeddings, EmbeddingsRequest, HttpRequest, Target

BASE_URL = "https://api.perplexity.ai"


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """It knows no ``float``: what it sends by default is made floats here."""
    parameters = {k: raw for k, raw in request.parameters.items() if k != "encoding_format"}
    if target.base_url.rstrip("/") == BASE_URL:
        target = replace(target, base_url=f"{BASE_URL}/v1")
    return openai_embeddings.encode_embeddings(replace(request, parameters=parameters), target)


def decode_embeddings(body: bytes) -> Embeddings:
    """From -128 to 127 and not of unit length: cosines are what they should be."""
    found = openai_embeddings.decode_embeddings(body)
    return replace(found, vectors=[_floats(vector) for vector in found.vectors])


def _floats(vector: list[float] | str) -> list[float] | str:
    if isinstance(vector, list):
        return vector
    return [float(value) for value in array("b", b64decode(vector))]
