"""``/v1/embeddings``: what is read of a request, and OpenAI's shape of the answer."""

from __future__ import annotations

import json

import pytest

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import InvalidField
from headway.events import Embeddings, EmbeddingsReceived, Finished, Started, UsageReported
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import EmbeddingsRequest, Usage

DIALECT = OpenAIEmbeddings()


def decode(body: dict[str, object]) -> EmbeddingsRequest:
    call = DIALECT.decode(ClientRequest("", (), json.dumps(body).encode()))
    assert call.provider == "openai"
    assert isinstance(call.request, EmbeddingsRequest)
    return call.request


@pytest.mark.parametrize("given", ["a text", ["two", "texts"], [1, 2, 3], [[1, 2], [3]]])
def test_the_input_is_passed_on_unchanged(given: object) -> None:
    request = decode({"model": "openai/text-embedding-3-small", "input": given, "dimensions": 8})
    assert request.model == "text-embedding-3-small"
    assert json.loads(bytes(request.input)) == given
    assert {name: bytes(raw) for name, raw in request.parameters.items()} == {"dimensions": b"8"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "a"}, "model"),
        ({"model": 7, "input": "a"}, "model"),
        ({"model": "openai/m"}, "input"),
        ({"model": "openai/m", "input": ""}, "input"),
        ({"model": "openai/m", "input": []}, "input"),
        ({"model": "openai/m", "input": {"text": "a"}}, "input"),
        ({"model": "openai/m", "input": [1.5]}, "input"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(body)
    assert caught.value.param == param


def encode(
    *, vectors: list[list[float] | str] | None, model: str | None, tokens: int | None = 5
) -> dict[str, object]:
    call = DIALECT.decode(ClientRequest("", (), b'{"model":"openai/m","input":"a"}'))
    context = ResponseContext(id="1", request_id="1", created=1, call=call, sent=call.request)
    answer = ResponseAccumulator()
    answer.add([Started(model=model), UsageReported(Usage(input_tokens=tokens)), Finished("stop")])
    if vectors is not None:
        answer.add([EmbeddingsReceived(Embeddings(vectors=vectors, usage=Usage()))])
    found: dict[str, object] = json.loads(
        DIALECT.encode(context, answer, Metrics(input_tokens=3), 0.0)
    )
    return found


def test_the_reply_has_openais_shape() -> None:
    assert encode(vectors=[[0.5, -1.0], "AAAA"], model="m-1") == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
            {"object": "embedding", "index": 1, "embedding": "AAAA"},
        ],
        "model": "m-1",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


def test_without_a_reported_model_the_reply_has_the_requested_one() -> None:
    found = encode(vectors=None, model=None)
    assert (found["model"], found["data"]) == ("m", [])


def test_without_a_reported_count_the_reply_has_the_gateways() -> None:
    found = encode(vectors=[[0.5]], model="m", tokens=None)
    assert found["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_embeddings_cannot_be_streamed() -> None:
    call = DIALECT.decode(ClientRequest("", (), b'{"model":"openai/m","input":"a"}'))
    with pytest.raises(TypeError):
        DIALECT.stream(
            ResponseContext(id="1", request_id="1", created=1, call=call, sent=call.request)
        )


def test_a_response_is_never_passed_through() -> None:
    assert not DIALECT.passes_through(b'{"object":"list","data":[]}')
