"""Embeddings, in the format of each vendor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.bedrock.embeddings import decode_embeddings
from headway.providers.bedrock.request import encode_embeddings
from headway.providers.wire_formats import BEDROCK
from headway.types import EmbeddingsRequest, Target, Usage

BASE_URL = BEDROCK.base_url or ""

NOVA = "amazon.nova-lite-v1:0"
TARGET = Target(provider="bedrock", base_url=BASE_URL, options={"region": "us-east-1"})


TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"
NOVA_EMBED = "amazon.nova-2-multimodal-embeddings-v1:0"
ASKED: list[tuple[str, Any, dict[str, Any], Any]] = [
    (TITAN, "a", {"dimensions": 256, "user": "u"}, {"inputText": "a", "dimensions": 256}),
    (TITAN, ["a"], {"normalize": False}, {"inputText": "a", "normalize": False}),
    (
        "amazon.titan-embed-image-v1",
        "a",
        {"dimensions": 384},
        {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 384}},
    ),
    ("amazon.titan-embed-image-v1", "a", {}, {"inputText": "a"}),
    (
        NOVA_EMBED,
        "a",
        {"dimensions": 256, "embeddingPurpose": "TEXT_RETRIEVAL"},
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "TEXT_RETRIEVAL",
                "embeddingDimension": 256,
                "text": {"truncationMode": "END", "value": "a"},
            },
        },
    ),
    (
        NOVA_EMBED,
        "a",
        {},
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "embeddingDimension": 3072,
                "text": {"truncationMode": "END", "value": "a"},
            },
        },
    ),
    (
        COHERE,
        ["a", "b"],
        {"input_type": "search_query", "encoding_format": "base64"},
        {"texts": ["a", "b"], "input_type": "search_query"},
    ),
]


def embed(model: str, given: Any, **parameters: Any) -> Any:
    request = EmbeddingsRequest(
        model=model,
        input=Raw(json.dumps(given).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )
    http = encode_embeddings(request, TARGET)
    assert http.url.path.endswith("/invoke")
    return json.loads(http.body)


@pytest.mark.parametrize(("model", "given", "parameters", "body"), ASKED)
def test_embeddings_requests_have_the_format_of_the_vendor(
    model: str, given: Any, parameters: Any, body: Any
) -> None:
    assert embed(model, given, **parameters) == body


@pytest.mark.parametrize(
    ("model", "given", "why"),
    [
        (TITAN, ["a", "b"], "embeds one text a call, not 2"),
        (TITAN, [1, 2], "embeds texts, not tokens"),
        (TITAN, 5, "embeds texts, not tokens"),
        (NOVA, "a", "no model for embeddings"),
    ],
)
def test_inputs_that_cannot_be_embedded_are_rejected(model: str, given: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        embed(model, given)


@pytest.mark.parametrize(
    ("body", "vectors", "tokens"),
    [
        (b'{"embedding":[1.5,2],"inputTextTokenCount":3}', [[1.5, 2.0]], 3),
        (b'{"embeddings":[[1,2],[3,4]]}', [[1, 2], [3, 4]], None),
        (b'{"embeddings":{"float":[[1]]}}', [[1]], None),
        (b'{"embeddings":[{"embeddingType":"TEXT","embedding":[1]}]}', [[1]], None),
    ],
)
def test_embeddings_are_decoded_from_the_format_of_the_vendor(
    body: bytes, vectors: Any, tokens: int | None
) -> None:
    found = decode_embeddings(body)
    assert found.vectors == vectors
    assert found.usage == Usage(input_tokens=tokens)


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings":{}}', b'{"embeddings":5}'])
def test_a_response_without_vectors_raises(body: bytes) -> None:
    with pytest.raises(ValueError, match="no embeddings"):
        decode_embeddings(body)
