"""Embeddings on Bedrock: each vendor's own format, through invoke.

Sources: docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
model-parameters-embed.html (Cohere), and the guide of Nova's multimodal embeddings. Amazon's models
take one text a call. The count of tokens is a header, but Titan's, which is in the body too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import RequestError
from headway.types import Embeddings, EmbeddingsRequest, Usage

Fields = dict[str, Any]

OURS = ("dimensions", "encoding_format", "user")
"""OpenAI's: renamed, done by the gateway, or of no use to the model."""
NOVA = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 3072}
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def encode(request: EmbeddingsRequest) -> bytes:
    """The body for the model. Raises RequestError for inputs that it does not take."""
    texts = _texts(request)
    given = request.parameters
    dimensions = _any(given["dimensions"]) if "dimensions" in given else None
    rest = {name: raw for name, raw in given.items() if name not in OURS}
    for pattern, make in MAKERS:
        if re.search(pattern, request.model.lower()):
            return _encode(make(request.model, texts, dimensions, rest))
    raise RequestError(f"{request.model} is no model for embeddings that is known.", param="model")


def _texts(request: EmbeddingsRequest) -> list[str]:
    given = _any(request.input)
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("Bedrock embeds texts, not tokens.", param="input")
    return texts


def _only(model: str, texts: list[str]) -> str:
    if len(texts) != 1:
        message = f"{model} embeds one text a call, not {len(texts)}."
        raise RequestError(message, param="input")
    return texts[0]


def _titan(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    wanted = {} if dimensions is None else {"dimensions": dimensions}
    return {"inputText": _only(model, texts), **wanted, **rest}


def _titan_image(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    wanted: Fields = {}
    if dimensions is not None:
        wanted["embeddingConfig"] = {"outputEmbeddingLength": dimensions}
    return {"inputText": _only(model, texts), **wanted, **rest}


def _nova(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    wanted = {} if dimensions is None else {"embeddingDimension": dimensions}
    text = {"truncationMode": "END", "value": _only(model, texts)}
    params = {**NOVA, "text": text, **wanted, **rest}
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def _cohere(model: str, texts: list[str], dimensions: Any, rest: Mapping[str, Raw]) -> Fields:
    """``input_type`` is required; texts to be searched for are what there is most of."""
    wanted = {} if dimensions is None else {"output_dimension": dimensions}
    return {"texts": texts, "input_type": "search_document", **wanted, **rest}


Maker = Callable[[str, list[str], Any, Mapping[str, Raw]], Fields]
MAKERS: tuple[tuple[str, Maker], ...] = (
    (r"titan-embed-image", _titan_image),
    (r"titan-embed", _titan),
    (r"nova.*embed", _nova),
    (r"cohere\.embed", _cohere),
)
"""By what is found in the model's id."""


class Answer(Struct, rename="camel"):
    """Of any vendor: a vector, or vectors, bare or by their type."""

    embedding: list[float] | None = None
    embeddings: Any = None
    input_text_token_count: int | None = None


_answer = msgspec.json.Decoder(Answer).decode


def decode(body: bytes) -> Embeddings:
    """Raises ValueError for an answer without vectors."""
    answer = _answer(body)
    vectors = _vectors(answer)
    if vectors is None:
        raise ValueError("the answer has no embeddings")
    return Embeddings(vectors=vectors, usage=Usage(input_tokens=answer.input_text_token_count))


def _vectors(answer: Answer) -> list[list[float] | str] | None:
    if answer.embedding is not None:
        return [answer.embedding]
    found = answer.embeddings
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
    if not isinstance(found, list):
        return None
    return [item["embedding"] if isinstance(item, dict) else item for item in found]
