"""Google's embeddings in the request formats of AI Studio and of Vertex AI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.providers.vertex.endpoint import GLOBAL_URL
from headway.types import EmbeddingsRequest, NativeRequest, Target, Usage

PROVIDER = vertex.PROVIDER
TARGET = Target(
    provider="vertex",
    base_url=GLOBAL_URL,
    options={"project": "p", "region": "us-central1"},
    credentials={"access_token": "tok"},
)
STUDIO = Target(provider="gemini", base_url="https://g.test/v1beta", api_key="k")


def embed(given: Any, model: str = "gemini-embedding-001", **parameters: Any) -> EmbeddingsRequest:
    return EmbeddingsRequest(
        model=model,
        input=Raw(json.dumps(given).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )


def asked(provider: Any, request: EmbeddingsRequest, target: Target) -> tuple[str, Any]:
    http = provider.encode_embeddings(request, target)
    return http.url.path.rpartition("/")[2], json.loads(http.body)


def parts(text: str) -> Any:
    return {"parts": [{"text": text}]}


def test_the_gemini_api_embeds_in_batches() -> None:
    request = embed(["a", "b"], dimensions=8, encoding_format="float", user="u", taskType="X")
    each = {
        "model": "models/gemini-embedding-001",
        "outputDimensionality": 8,
        "taskType": "X",
    }
    assert asked(gemini.PROVIDER, request, STUDIO) == (
        "gemini-embedding-001:batchEmbedContents",
        {"requests": [{**each, "content": parts("a")}, {**each, "content": parts("b")}]},
    )
    http = gemini.encode_embeddings(request, STUDIO)
    assert ("x-goog-api-key", "k") in http.headers


VERTEX: list[tuple[EmbeddingsRequest, str, Any]] = [
    (
        embed("a"),
        "gemini-embedding-001:predict",
        {"instances": [{"content": "a"}]},
    ),
    (
        embed(["a", "b"], "text-embedding-005", dimensions=8, task_type="Q", autoTruncate=False),
        "text-embedding-005:predict",
        {
            "instances": [{"content": "a", "task_type": "Q"}, {"content": "b", "task_type": "Q"}],
            "parameters": {"outputDimensionality": 8, "autoTruncate": False},
        },
    ),
    (
        embed(["a", "b"]),
        "gemini-embedding-001:batchEmbedContents",
        {"requests": [{"content": parts("a")}, {"content": parts("b")}]},
    ),
    (
        embed("a", "gemini-embedding-2", dimensions=None),
        "gemini-embedding-2:embedContent",
        {"content": parts("a")},
    ),
    (
        embed(["a", "b"], "gemini-embedding-2", dimensions=8),
        "gemini-embedding-2:batchEmbedContents",
        {
            "requests": [
                {"content": parts("a"), "embedContentConfig": {"outputDimensionality": 8}},
                {"content": parts("b"), "embedContentConfig": {"outputDimensionality": 8}},
            ]
        },
    ),
]


@pytest.mark.parametrize(("request_", "method", "body"), VERTEX, ids=[v[1] for v in VERTEX])
def test_vertex_embeds_with_the_method_of_the_model(
    request_: EmbeddingsRequest, method: str, body: Any
) -> None:
    assert asked(PROVIDER, request_, TARGET) == (method, body)
    version = "v1beta1" if "batch" in method else "v1"
    assert vertex.encode_embeddings(request_, TARGET).url.path.startswith(f"/{version}/")


@pytest.mark.parametrize("given", [[1, 2], [[1, 2]], [], {"a": 1}, 5])
def test_inputs_that_are_not_texts_are_rejected(given: Any) -> None:
    with pytest.raises(InvalidField, match="text or a list of texts"):
        gemini.encode_embeddings(embed(given), STUDIO)


def predicted(values: list[float], **statistics: Any) -> Any:
    return {"embeddings": {"values": values, "statistics": statistics}}


DECODED: list[tuple[Any, list[list[float]], int | None]] = [
    ({"embeddings": [{"values": [1, 2]}, {"values": [3]}]}, [[1, 2], [3]], None),
    (
        {"embeddings": [{"values": [1]}], "usageMetadata": {"promptTokenCount": 5}},
        [[1]],
        5,
    ),
    ({"embedding": {"values": [1]}, "usageMetadata": {"promptTokenCount": 5}}, [[1]], 5),
    (
        {"predictions": [predicted([1], token_count=2), predicted([2], token_count=3.0)]},
        [[1], [2]],
        5,
    ),
    ({"predictions": [predicted([1], token_count=2), predicted([2])]}, [[1], [2]], None),
    ({"predictions": [{"embeddings": {"values": [1]}}]}, [[1]], None),
]


@pytest.mark.parametrize(("body", "vectors", "tokens"), DECODED)
def test_vectors_have_the_order_of_the_texts(
    body: Any, vectors: list[list[float]], tokens: int | None
) -> None:
    for provider in (PROVIDER, gemini.PROVIDER):
        assert provider.decode_embeddings is not None
        found = provider.decode_embeddings(json.dumps(body).encode())
        assert found.vectors == vectors
        assert found.usage == Usage(input_tokens=tokens)


def test_a_response_without_vectors_raises() -> None:
    assert PROVIDER.decode_embeddings is not None
    with pytest.raises(ValueError, match="no embeddings"):
        PROVIDER.decode_embeddings(b"{}")


# --- Requests of Google's own clients -------------------------------------------------------------


def native(**fields: Any) -> EmbeddingsRequest:
    raw = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    request = embed(["a"], dimensions=8)
    return replace(request, native=NativeRequest("gemini", raw))


def test_a_native_request_keeps_its_fields() -> None:
    one = {"content": parts("a"), "taskType": "X", "outputDimensionality": 8}
    sent = {**one, "model": "models/gemini-embedding-001"}
    method = "gemini-embedding-001:batchEmbedContents"
    assert asked(gemini.PROVIDER, native(**one), STUDIO) == (method, {"requests": [sent]})
    batch = native(requests=[{**one, "model": "models/mine"}])
    assert asked(gemini.PROVIDER, batch, STUDIO) == (method, {"requests": [sent]})


def test_a_native_request_keeps_its_config_on_vertex() -> None:
    request = native(content=parts("a"), taskType="X", title="T")
    assert asked(PROVIDER, request, TARGET) == (
        "gemini-embedding-001:predict",
        {
            "instances": [{"content": "a", "title": "T", "task_type": "X"}],
            "parameters": {"outputDimensionality": 8},
        },
    )
