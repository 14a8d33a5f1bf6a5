"""Embeddings on Bedrock, through invoke: each vendor has its own format.

Sources: docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
model-parameters-embed.html (Cohere), and the guide of Nova's multimodal embeddings. Amazon's models
take one text a call. The count of tokens is in a header, and Titan's also in the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import RequestError
from headway.events import Embeddings
from headway.providers.embedding_vectors import check_encoding
from headway.types import EmbeddingsRequest, Usage
from headway.wire.lenient_json import Count, lenient_decoder

Fields = dict[str, Any]

OPENAI_PARAMETERS = ("dimensions", "encoding_format", "user")
"""Renamed, applied by the gateway, and unused, in this order."""
NOVA_DEFAULTS = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 3072}
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def encode_embeddings_body(request: EmbeddingsRequest) -> bytes:
    """The body in the model's format. Raises RequestError for inputs that the model does not take,
    and for an unknown model."""
    texts = _texts(request)
    given = request.parameters
    check_encoding(given)
    dimensions = _decode_any(given["dimensions"]) if "dimensions" in given else None
    rest = {name: raw for name, raw in given.items() if name not in OPENAI_PARAMETERS}
    for pattern, fields_of in FORMATS:
        if re.search(pattern, request.model.lower()):
            return _encode(fields_of(request.model, texts, dimensions, rest))
    raise RequestError(f"{request.model} is no model for embeddings that is known.", param="model")


def _texts(request: EmbeddingsRequest) -> list[str]:
    given = _decode_any(request.input)
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("Bedrock embeds texts, not tokens.", param="input")
    return texts


def _single(model: str, texts: list[str]) -> str:
    if len(texts) != 1:
        message = f"{model} embeds one text a call, not {len(texts)}."
        raise RequestError(message, param="input")
    return texts[0]


def _titan(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    size = {} if dimensions is None else {"dimensions": dimensions}
    return {"inputText": _single(model, texts), **size, **rest}


def _titan_image(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    size: Fields = {}
    if dimensions is not None:
        size["embeddingConfig"] = {"outputEmbeddingLength": dimensions}
    return {"inputText": _single(model, texts), **size, **rest}


def _nova(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    size = {} if dimensions is None else {"embeddingDimension": dimensions}
    text = {"truncationMode": "END", "value": _single(model, texts)}
    params = {**NOVA_DEFAULTS, "text": text, **size, **rest}
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def _cohere(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    """``input_type`` is required; most embedded texts are documents to search in."""
    size = {} if dimensions is None else {"output_dimension": dimensions}
    return {"texts": texts, "input_type": "search_document", **size, **rest}


Format = Callable[[str, list[str], Any, Mapping[str, Raw]], Fields]
"""(model, texts, dimensions, further parameters) -> body"""
FORMATS: tuple[tuple[str, Format], ...] = (
    (r"titan-embed-image", _titan_image),
    (r"titan-embed", _titan),
    (r"nova.*embed", _nova),
    (r"cohere\.embed", _cohere),
)
"""The first counts whose pattern is found in the model's id."""


class WireEmbeddings(Struct, rename="camel"):
    """The response of any vendor: one vector, or several in a list or by their type."""

    embedding: list[float] | None = None
    embeddings: Any = None
    input_text_token_count: Count | None = None


_decode_response = lenient_decoder(WireEmbeddings)


def decode_embeddings(body: bytes) -> Embeddings:
    """Raises ValueError for a response without vectors."""
    response = _decode_response(body)
    vectors = _vectors(response)
    if vectors is None:
        raise ValueError("the answer has no embeddings")
    return Embeddings(vectors=vectors, usage=Usage(input_tokens=response.input_text_token_count))


def _vectors(response: WireEmbeddings) -> list[list[float] | str] | None:
    if response.embedding is not None:
        return [response.embedding]
    found = response.embeddings
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
    if not isinstance(found, list):
        return None
    return [item["embedding"] if isinstance(item, dict) else item for item in found]
