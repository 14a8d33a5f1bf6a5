"""Embeddings of AI Studio and of Vertex AI: four request formats.

AI Studio: batchEmbedContents (ai.google.dev/api/embeddings). Vertex AI: ``:predict`` with instances
for its older models, of which gemini-embedding-001 takes one text; ``:embedContent`` for one text
of Gemini Embedding 2 (docs.cloud.google.com, Text embeddings API and embedContent); and
``:batchEmbedContents``, in v1beta1, for several texts, as Google's own SDK does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import InvalidField
from headway.events import Embeddings
from headway.providers.embedding_vectors import check_encoding
from headway.providers.gemini.usage import UsageMetadata
from headway.types import EmbeddingsRequest, NativeRequest, Usage
from headway.wire.lenient_json import Count, lenient_decoder

NOT_COPIED = frozenset({"dimensions", "encoding_format", "user"})
"""OpenAI's parameters that are renamed, handled by the gateway, or unknown to these APIs."""
PREDICT = re.compile(r"^(?!.*gemini)")
"""Models of Vertex AI that take any number of texts at ``:predict``."""
PREDICT_SINGLE = re.compile(r"gemini-embedding-(?:001|exp)")
"""Models of Vertex AI that take one text at ``:predict``."""
BATCH_METHOD = "batchEmbedContents"
INSTANCE_FIELDS = ("task_type", "title", "mimeType")
"""Parameters of ``:predict`` that are repeated with each text."""

_decode_any = msgspec.json.Decoder().decode
_decode_requests = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_encode = msgspec.json.Encoder().encode


class ContentEmbedding(Struct):
    values: list[float]


class PredictionStatistics(Struct):
    token_count: Count | None = None


class PredictedEmbedding(Struct):
    values: list[float]
    statistics: PredictionStatistics | None = None


class Prediction(Struct):
    embeddings: PredictedEmbedding


class EmbeddingsResponse(Struct, rename="camel"):
    """All formats at once: each has its own field for the vectors."""

    embeddings: list[ContentEmbedding] | None = None
    embedding: ContentEmbedding | None = None
    predictions: list[Prediction] | None = None
    usage_metadata: UsageMetadata | None = None


_decode_response = lenient_decoder(EmbeddingsResponse)


def _texts(request: EmbeddingsRequest) -> list[str]:
    """Raises InvalidField for an input of tokens: these APIs take texts."""
    given = _decode_any(request.input)
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        return texts
    raise InvalidField("`input` must be a text or a list of texts, not of tokens.", param="input")


def encode_studio_body(request: EmbeddingsRequest, resource: str) -> bytes:
    """``resource`` is the model's full name, ``models/...``. Raises InvalidField for tokens."""
    if request.native is not None:
        given = _native_requests(request.native)
        return _encode({"requests": [{**each, "model": resource} for each in given]})
    config = _config(request)
    requests = [
        {"model": resource, "content": _content(text), **config} for text in _texts(request)
    ]
    return _encode({"requests": requests})


def encode_vertex_body(request: EmbeddingsRequest) -> tuple[str, bytes]:
    """(method to call, body). Raises InvalidField for tokens."""
    texts = _texts(request)
    config = _config(request)
    if request.native is not None:
        first = _native_requests(request.native)[0]
        config |= {name: raw for name, raw in first.items() if name not in ("content", "model")}
    is_single = len(texts) == 1
    if PREDICT.search(request.model) or (is_single and PREDICT_SINGLE.search(request.model)):
        if "taskType" in config:
            config["task_type"] = config.pop("taskType")
        return "predict", _encode(_instances(texts, config))
    config_fields = {"embedContentConfig": config} if config else {}
    if is_single:
        return "embedContent", _encode({"content": _content(texts[0]), **config_fields})
    requests = [{"content": _content(text), **config_fields} for text in texts]
    return BATCH_METHOD, _encode({"requests": requests})


def _native_requests(native: NativeRequest) -> list[dict[str, Raw]]:
    """The requests of Google's own client: a batch of them, or one."""
    batch = native.fields.get("requests")
    return [dict(native.fields)] if batch is None else _decode_requests(batch)


def _content(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def _config(request: EmbeddingsRequest) -> dict[str, Raw]:
    given = request.parameters
    check_encoding(given)
    config = {name: raw for name, raw in given.items() if name not in NOT_COPIED}
    if "dimensions" in given:
        config["outputDimensionality"] = given["dimensions"]
    return {name: raw for name, raw in config.items() if bytes(raw) != b"null"}


def _instances(texts: list[str], config: Mapping[str, Raw]) -> dict[str, Any]:
    instance = {name: raw for name, raw in config.items() if name in INSTANCE_FIELDS}
    body: dict[str, Any] = {"instances": [{"content": text, **instance} for text in texts]}
    if rest := {name: raw for name, raw in config.items() if name not in INSTANCE_FIELDS}:
        body["parameters"] = rest
    return body


def decode_embeddings(body: bytes) -> Embeddings:
    """Raises ValueError for a response without vectors."""
    response = _decode_response(body)
    if response.predictions is not None:
        predicted = [prediction.embeddings for prediction in response.predictions]
        usage = _predicted_usage(predicted)
        return Embeddings(vectors=[each.values for each in predicted], usage=usage)
    found = response.embeddings or ([] if response.embedding is None else [response.embedding])
    if not found:
        raise ValueError("the answer has no embeddings")
    counts = response.usage_metadata or UsageMetadata()
    usage = Usage(input_tokens=counts.prompt_token_count)
    return Embeddings(vectors=[each.values for each in found], usage=usage)


def _predicted_usage(predicted: list[PredictedEmbedding]) -> Usage:
    counts = [
        None if each.statistics is None else each.statistics.token_count for each in predicted
    ]
    known = [count for count in counts if count is not None]
    return Usage(input_tokens=sum(known) if len(known) == len(counts) else None)
