"""Embeddings of AI Studio and of Vertex AI, which have four shapes between them.

AI Studio: batchEmbedContents (ai.google.dev/api/embeddings). Vertex AI: ``:predict`` with instances
for its older models, of which gemini-embedding-001 takes one text; ``:embedContent`` for one text
of Gemini Embedding 2 (docs.cloud.google.com, Text embeddings API and embedContent); and
``:batchEmbedContents``, in its beta, for several, as Google's own SDK does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import InvalidField
from headway.providers.gemini.wire_types import WireUsage
from headway.types import Embeddings, EmbeddingsRequest, Usage

OURS = frozenset({"dimensions", "encoding_format", "user"})
"""``encoding_format`` is the gateway's own matter, and of a ``user`` these APIs know nothing."""
PREDICTING = re.compile(r"^(?!.*gemini)")
"""Models of Vertex AI that answer to ``:predict``, however many texts there are."""
PREDICTING_ONE = re.compile(r"gemini-embedding-(?:001|exp)")
BATCH = "batchEmbedContents"
INSTANCE = ("task_type", "title", "mimeType")
"""What of :predict's request belongs to each text, and not to all."""

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Values(Struct):
    values: list[float]


class Statistics(Struct):
    token_count: float | None = None


class Predicted(Struct):
    values: list[float]
    statistics: Statistics | None = None


class Prediction(Struct):
    embeddings: Predicted


class Answer(Struct, rename="camel"):
    """All shapes at once: each has its own field for the vectors."""

    embeddings: list[Values] | None = None
    embedding: Values | None = None
    predictions: list[Prediction] | None = None
    usage_metadata: WireUsage | None = None


_answer = msgspec.json.Decoder(Answer).decode


def texts_of(request: EmbeddingsRequest) -> list[str]:
    """Raises InvalidField for tokens: these APIs take text."""
    given = _any(request.input)
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        return texts
    raise InvalidField("`input` must be a text or a list of texts, not of tokens.", param="input")


def encode_studio(request: EmbeddingsRequest, resource: str) -> bytes:
    """``resource`` is the model's full name, models/...; each text has its own request."""
    config = _config(request)
    requests = [
        {"model": resource, "content": _content(text), **config} for text in texts_of(request)
    ]
    return _encode({"requests": requests})


def encode_vertex(request: EmbeddingsRequest) -> tuple[str, bytes]:
    """The method to call, and its body."""
    texts = texts_of(request)
    config = _config(request)
    is_single = len(texts) == 1
    if PREDICTING.search(request.model) or (is_single and PREDICTING_ONE.search(request.model)):
        return "predict", _encode(_instances(texts, config))
    beside = {"embedContentConfig": config} if config else {}
    if is_single:
        return "embedContent", _encode({"content": _content(texts[0]), **beside})
    requests = [{"content": _content(text), **beside} for text in texts]
    return BATCH, _encode({"requests": requests})


def _content(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def _config(request: EmbeddingsRequest) -> dict[str, Raw]:
    given = request.parameters
    config = {name: raw for name, raw in given.items() if name not in OURS}
    if "dimensions" in given:
        config["outputDimensionality"] = given["dimensions"]
    return {name: raw for name, raw in config.items() if bytes(raw) != b"null"}


def _instances(texts: list[str], config: Mapping[str, Raw]) -> dict[str, Any]:
    each = {name: raw for name, raw in config.items() if name in INSTANCE}
    body: dict[str, Any] = {"instances": [{"content": text, **each} for text in texts]}
    if rest := {name: raw for name, raw in config.items() if name not in INSTANCE}:
        body["parameters"] = rest
    return body


def decode(body: bytes) -> Embeddings:
    answer = _answer(body)
    if answer.predictions is not None:
        found = [prediction.embeddings for prediction in answer.predictions]
        return Embeddings(vectors=[each.values for each in found], usage=_counted(found))
    vectors = answer.embeddings or ([] if answer.embedding is None else [answer.embedding])
    if not vectors:
        raise ValueError("the answer has no embeddings")
    counts = answer.usage_metadata or WireUsage()
    usage = Usage(input_tokens=counts.prompt_token_count)
    return Embeddings(vectors=[vector.values for vector in vectors], usage=usage)


def _counted(found: list[Predicted]) -> Usage:
    counts = [None if each.statistics is None else each.statistics.token_count for each in found]
    known = [int(count) for count in counts if count is not None]
    return Usage(input_tokens=sum(known) if len(known) == len(counts) else None)
