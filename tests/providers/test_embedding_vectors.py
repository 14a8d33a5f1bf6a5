"""The vectors of an embeddings response have the number and the encoding that were asked for."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.errors import InvalidField
from headway.events import Embeddings
from headway.providers.embedding_vectors import (
    check_encoding,
    count_given_tokens,
    count_inputs,
    fit_vectors,
)
from headway.types import EmbeddingsRequest, Usage

FLOATS = [0.5, -1.25]
BASE64 = base64.b64encode(struct.pack("<2f", *FLOATS)).decode()


def fit(vectors: list[Any], given: Any = "text", **parameters: Any) -> list[Any]:
    encoded = {name: Raw(msgspec.json.encode(value)) for name, value in parameters.items()}
    request = EmbeddingsRequest(
        model="m", input=Raw(msgspec.json.encode(given)), parameters=encoded
    )
    return fit_vectors(Embeddings(vectors=vectors, usage=Usage()), request).vectors


@pytest.mark.parametrize("sent", [FLOATS, BASE64])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, FLOATS),
        ({"encoding_format": None}, FLOATS),
        ({"encoding_format": "float"}, FLOATS),
        ({"encoding_format": "base64"}, BASE64),
    ],
)
def test_vectors_have_the_encoding_that_was_asked_for(
    sent: Any, parameters: dict[str, Any], expected: Any
) -> None:
    assert fit([sent], **parameters) == [expected]


@pytest.mark.parametrize(
    "parameters",
    [{"output_dtype": "int8"}, {"embedding_types": ["int8"]}, {"encoding_format": "base64_int8"}],
)
def test_vectors_of_another_type_are_passed_on_as_they_are(parameters: dict[str, Any]) -> None:
    assert fit(["AQI="], **parameters) == ["AQI="]


@pytest.mark.parametrize("vector", ["AQI=", "not base64"])
def test_a_text_that_is_no_list_of_float32_is_an_error(vector: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        fit([vector])


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([], "0 vectors for 2 inputs"),
        ([FLOATS], "1 vectors for 2 inputs"),
        ([FLOATS, []], "1 vectors for 2 inputs"),
        ([FLOATS] * 3, "3 vectors for 2 inputs"),
        ([FLOATS, [], FLOATS], "2 vectors for 2 inputs"),
    ],
)
def test_another_number_of_vectors_than_of_inputs_is_an_error(
    vectors: list[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(vectors, ["a", "b"])


@pytest.mark.parametrize(
    ("given", "inputs", "tokens"),
    [
        (b'"a"', 1, 0),
        (b'["a", "b"]', 2, 0),
        (b"[1, 2, 3]", 1, 3),
        (b"[[1, 2], [3]]", 2, 3),
        (b'["a", [4, 5]]', 2, 2),
    ],
)
def test_a_list_of_tokens_is_one_input(given: bytes, inputs: int, tokens: int) -> None:
    assert (count_inputs(Raw(given)), count_given_tokens(Raw(given))) == (inputs, tokens)


@pytest.mark.parametrize("text", [b'"float"', b'"base64"', b"null", None])
def test_a_known_encoding_is_applied_by_the_gateway(text: bytes | None) -> None:
    check_encoding({} if text is None else {"encoding_format": Raw(text)})


@pytest.mark.parametrize("text", [b'"int8"', b'""', b"7", b"[]"])
def test_another_encoding_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(InvalidField) as caught:
        check_encoding({"encoding_format": Raw(text)})
    assert caught.value.param == "encoding_format"
