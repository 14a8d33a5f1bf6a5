"""Cohere's embeddings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.cohere.embeddings import decode_embeddings, encode_embeddings
from headway.types import EmbeddingsRequest, Target, Usage
from support.adapter_requests import raw

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"
TARGET = Target(provider="cohere", base_url="https://api.cohere.com", api_key="k")


def embed(given_: Any, **parameters: Any) -> Any:
    values = {name: raw(value) for name, value in parameters.items()}
    request = EmbeddingsRequest(model="embed-v4.0", input=raw(given_), parameters=values)
    return json.loads(encode_embeddings(request, TARGET).body)


def test_embeddings_are_requested_as_floats_of_documents() -> None:
    plain = {"model": "embed-v4.0", "texts": ["a"], "input_type": "search_document",
             "embedding_types": ["float"]}  # fmt: skip
    assert embed("a", encoding_format="base64", user="u") == plain
    asked = embed(["a"], dimensions=256, input_type="search_query", truncate="NONE")
    more = {"output_dimension": 256, "input_type": "search_query", "truncate": "NONE"}
    assert asked == {**plain, **more}


@pytest.mark.parametrize("given_", [[1, 2], [[1], [2]], {"a": 1}])
def test_token_input_raises_request_error(given_: Any) -> None:
    with pytest.raises(RequestError, match="texts, not tokens"):
        embed(given_)


def test_embeddings_of_another_type_are_returned() -> None:
    found = decode_embeddings(b'{"embeddings":{"int8":[[1,2]]}}')
    assert found.vectors == [[1.0, 2.0]]
    assert found.usage == Usage()


def test_embeddings_of_v1_are_a_bare_list() -> None:
    found = decode_embeddings(b'{"embeddings":[[0.5]],"meta":{"billed_units":{"input_tokens":2}}}')
    assert (found.vectors, found.usage) == ([[0.5]], Usage(input_tokens=2))
