"""Vertex AI's addresses and credentials, and the embeddings of both of Google's services."""

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
from headway.types import ChatRequest, EmbeddingsRequest, Target, Usage

PROVIDER = vertex.PROVIDER
HI = Raw(b'[{"role":"user","content":"Hi"}]')
TARGET = Target(
    provider="vertex",
    base_url=GLOBAL_URL,
    options={"project": "p", "region": "us-central1"},
    credentials={"access_token": "tok"},
)
STUDIO = Target(provider="gemini", base_url="https://g.test/v1beta", api_key="k")


def chat(model: str = "gemini-2.5-pro", messages: Raw = HI, stream: bool = False) -> ChatRequest:
    return ChatRequest(model=model, messages=messages, stream=stream)


def options(**given: Any) -> Target:
    return replace(TARGET, options=given)


HERE = "/v1/projects/p/locations/us-central1"
PLACES: list[tuple[Target, str, str]] = [
    (
        TARGET,
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        options(project="p"),
        "aiplatform.googleapis.com",
        "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        options(project="p", region="eu", api_version="v1beta1"),
        "aiplatform.eu.rep.googleapis.com",
        "/v1beta1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url="https://proxy.test/google"),
        "proxy.test",
        f"/google{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url=""),
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url="", options={"project": "p"}),
        "aiplatform.googleapis.com",
        "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, options={}, credentials={"access_token": "t", "project": "own"}),
        "aiplatform.googleapis.com",
        "/v1/projects/own/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, options={}, credentials={}, api_key="k"),
        "aiplatform.googleapis.com",
        "/v1/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, api_key="k"),
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
]


@pytest.mark.parametrize(("target", "host", "path"), PLACES, ids=[str(p[2]) for p in PLACES])
def test_a_model_has_an_address_by_project_and_region(target: Target, host: str, path: str) -> None:
    url = PROVIDER.encode_request(chat(), target).url
    assert (url.host, url.path) == (host, path + ":generateContent")
    streamed = PROVIDER.encode_request(chat(stream=True), target).url
    assert streamed.path == path + ":streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("models/gemini-x", f"{HERE}/publishers/google/models/gemini-x"),
        ("meta/llama", f"{HERE}/publishers/meta/models/llama"),
        ("publishers/google/models/x", f"{HERE}/publishers/google/models/x"),
        ("endpoints/123", f"{HERE}/endpoints/123"),
        ("projects/q/locations/r/endpoints/1", "/v1/projects/q/locations/r/endpoints/1"),
        ("claude@20250101", f"{HERE}/publishers/google/models/claude@20250101"),
        ("a?b", f"{HERE}/publishers/google/models/a%3Fb"),
    ],
)
def test_a_model_may_be_named_in_several_ways(model: str, resource: str) -> None:
    assert PROVIDER.encode_request(chat(model), TARGET).url.path == resource + ":generateContent"


def test_an_error_without_project_and_key_says_how_to_set_them() -> None:
    remedy = r"set GOOGLE_CLOUD_PROJECT in .* or providers\.vertex\.project"
    with pytest.raises(InvalidField, match=remedy) as caught:
        PROVIDER.encode_request(chat(), replace(TARGET, options={}))
    assert caught.value.param == "project"


JSON = ("content-type", "application/json")
WHOLE = ("accept", "application/json")
AUTHORITIES: list[tuple[Target, list[tuple[str, str]]]] = [
    (TARGET, [JSON, WHOLE, ("authorization", "Bearer tok")]),
    (
        replace(TARGET, credentials={"access_token": "tok", "quota_project": "payer"}),
        [JSON, WHOLE, ("authorization", "Bearer tok"), ("x-goog-user-project", "payer")],
    ),
    (replace(TARGET, api_key="k", credentials={}), [JSON, WHOLE, ("x-goog-api-key", "k")]),
    (
        replace(TARGET, api_key="ya29.a-token", credentials={}),
        [JSON, WHOLE, ("authorization", "Bearer ya29.a-token")],
    ),
    (replace(TARGET, credentials={}, headers={"x-a": "b"}), [JSON, WHOLE, ("x-a", "b")]),
]


@pytest.mark.parametrize(("target", "headers"), AUTHORITIES)
def test_a_token_and_a_key_have_their_own_headers(
    target: Target, headers: list[tuple[str, str]]
) -> None:
    assert PROVIDER.encode_request(chat(), target).headers == tuple(headers)


@pytest.mark.parametrize(("version", "shown"), [("v1", False), ("v1beta1", True)])
def test_tool_calls_have_ids_only_in_v1beta1(version: str, shown: bool) -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "x1", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "x1", "content": "y"},
    ]
    request = chat(messages=Raw(json.dumps(messages).encode()))
    http = PROVIDER.encode_request(request, options(project="p", api_version=version))
    call, told = json.loads(http.body)["contents"][1:]
    assert ("id" in call["parts"][0]["functionCall"]) is shown
    assert ("id" in told["parts"][0]["functionResponse"]) is shown


def test_credentials_come_from_google() -> None:
    assert (PROVIDER.credentials, PROVIDER.key_env, PROVIDER.wire) == ("google", None, "gemini")
    assert set(PROVIDER.options) >= {"project", "region", "credentials_file"}


# --- Embeddings -----------------------------------------------------------------------------------


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


def test_an_answer_without_vectors_raises() -> None:
    assert PROVIDER.decode_embeddings is not None
    with pytest.raises(ValueError, match="no embeddings"):
        PROVIDER.decode_embeddings(b"{}")
