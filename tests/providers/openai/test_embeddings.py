"""OpenAI's embeddings, and what Mistral and Perplexity change in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import UpstreamOverloaded
from headway.events import Embeddings
from headway.providers import KINDS
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.types import EmbeddingsRequest, Target, Usage

TARGET = Target(
    provider="openai",
    base_url="https://api.example.com/v1",
    api_key="sk-1",
    headers={"x-team": "a"},
)


def test_a_request_is_the_callers_own_json() -> None:
    request = EmbeddingsRequest(
        model="m", input=Raw(b'["a", [1,2]]'), parameters={"dimensions": Raw(b"256")}
    )
    sent = encode_embeddings(request, TARGET)
    assert sent.body == b'{"model":"m","input":["a", [1,2]],"dimensions":256}'
    assert (sent.url.host, sent.url.path) == ("api.example.com", "/v1/embeddings")
    assert sent.headers == (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("authorization", "Bearer sk-1"),
        ("x-team", "a"),
    )


def test_mistral_renames_dimensions_and_drops_user() -> None:
    encode = KINDS["mistral"].encode_embeddings
    assert encode is not None
    parameters = {"dimensions": Raw(b"256"), "user": Raw(b'"u"')}
    sent = encode(EmbeddingsRequest(model="m", input=Raw(b'"a"'), parameters=parameters), TARGET)
    assert json.loads(sent.body) == {"model": "m", "input": "a", "output_dimension": 256}


def response(*data: Any, **more: Any) -> bytes:
    return json.dumps({"object": "list", "data": data, "model": "m", **more}).encode()


# what it shows, the body, what it means
RESPONSES: list[tuple[str, bytes, Embeddings]] = [
    (
        "floats",
        response(
            {"index": 0, "embedding": [1, 2.5]}, usage={"prompt_tokens": 3, "total_tokens": 3}
        ),
        Embeddings(vectors=[[1.0, 2.5]], usage=Usage(input_tokens=3), model="m"),
    ),
    (
        "base64, in the order of the inputs",
        response({"index": 1, "embedding": "Yg=="}, {"index": 0, "embedding": "YQ=="}),
        Embeddings(vectors=["YQ==", "Yg=="], usage=Usage(), model="m"),
    ),
    (
        "no index, and a total alone",
        response({"embedding": [1]}, {"embedding": [2]}, usage={"total_tokens": 4}, error=None),
        Embeddings(vectors=[[1.0], [2.0]], usage=Usage(input_tokens=4), model="m"),
    ),
]


@pytest.mark.parametrize(
    ("shows", "body", "expected"), RESPONSES, ids=[one[0] for one in RESPONSES]
)
def test_the_vectors_are_in_the_order_of_the_inputs(
    shows: str, body: bytes, expected: Embeddings
) -> None:
    assert decode_embeddings(body) == expected


def test_an_error_in_a_body_of_status_200_is_raised() -> None:
    with pytest.raises(UpstreamOverloaded, match="busy"):
        decode_embeddings(b'{"error":{"code":503,"message":"busy"}}')
    with pytest.raises(ValueError, match="no embeddings"):
        decode_embeddings(b"{}")


def test_perplexitys_signed_bytes_become_floats_and_its_path_is_below_v1() -> None:
    perplexity = KINDS["perplexity"]
    assert perplexity.encode_embeddings is not None
    assert perplexity.decode_embeddings is not None
    parameters = {"encoding_format": Raw(b'"base64"'), "dimensions": Raw(b"2")}
    request = EmbeddingsRequest(model="m", input=Raw(b'"a"'), parameters=parameters)
    usual = Target(provider="perplexity", base_url="https://api.perplexity.ai/")
    sent = perplexity.encode_embeddings(request, usual)
    assert (sent.url.host, sent.url.path) == ("api.perplexity.ai", "/v1/embeddings")
    assert json.loads(sent.body) == {"model": "m", "input": "a", "dimensions": 2}
    assert perplexity.encode_embeddings(request, TARGET).url.path == "/v1/embeddings"
    found = perplexity.decode_embeddings(response({"embedding": "f4D/"}, {"embedding": [1, 2]}))
    assert found.vectors == [[127.0, -128.0, -1.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ((2, 1), ["b", "a"]),
        ((0, 0), ["a", "b"]),
        ((1, None), ["a", "b"]),
        ((None, 0), ["a", "b"]),
    ],
)
def test_indexes_give_the_order_only_where_they_differ(
    indexes: tuple[int | None, ...], expected: list[str]
) -> None:
    items = [{"index": i, "embedding": v} for i, v in zip(indexes, "ab", strict=True)]
    assert decode_embeddings(json.dumps({"data": items}).encode()).vectors == expected
