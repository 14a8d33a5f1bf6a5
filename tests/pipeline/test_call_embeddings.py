"""An embeddings call has attempts, a cost and a record like a chat call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.embeddings import EmbedContent
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.providers import KINDS
from headway.providers.gemini import provider as gemini
from support.for_each import for_each
from support.pipeline_fakes import Pipe

DIALECT = OpenAIEmbeddings()
ANSWER = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}


def ask(pipe: Pipe, **fields: Any) -> None:
    asked = {"model": "openai/text-embedding-3-small", "input": "Hello", **fields}
    pipe.send(ClientRequest("", (), json.dumps(asked).encode()), DIALECT)


def answer(pipe: Pipe, body: dict[str, Any]) -> None:
    pipe.upstream.whole(json.dumps(body).encode())


def test_vectors_are_returned_and_their_cost_recorded() -> None:
    pipe = Pipe()
    ask(pipe, dimensions=2)
    assert pipe.upstream.request.url.path == "/v1/embeddings"
    assert json.loads(pipe.upstream.request.body)["dimensions"] == 2
    answer(pipe, ANSWER)
    assert pipe.sink.status == 200
    assert json.loads(pipe.sink.body)["data"][0]["embedding"] == [0.25, 0.5]
    (record,) = pipe.records
    assert (record.outcome, record.input_tokens, record.output_tokens) == ("ok", 5, 0)
    assert record.dialect == "openai_embeddings"


def test_unreported_input_tokens_are_counted() -> None:
    pipe = Pipe()
    ask(pipe, input=["Hello", "you"])
    answer(pipe, {**ANSWER, "data": ANSWER["data"] * 2, "usage": None})
    ((_, messages, produced),) = pipe.counted
    assert [message["content"] for message in json.loads(messages)] == ["Hello", "you"]
    assert produced == ""
    assert pipe.records[0].tokens_source == "counted"
    assert pipe.sink.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


WITHOUT_ENCODING = {
    "bedrock": "amazon.titan-embed-text-v2:0",
    **dict.fromkeys(("cohere", "gemini", "ollama", "perplexity", "vertex"), "m"),
}


@for_each("value", ["int8", "BASE64", "", 7, ["float"]])
@for_each("kind", WITHOUT_ENCODING)
def test_an_encoding_that_nobody_applies_is_refused(kind: str, value: Any) -> None:
    adapter = replace(KINDS[kind], sign=None, credentials=None)
    options = {name: "x" for name in adapter.options if name != "api"}
    pipe = Pipe(provider=adapter, base_url="https://example.org", options=options)
    model = f"openai/{WITHOUT_ENCODING[kind]}"
    ask(pipe, model=model, encoding_format=value)
    assert pipe.upstream_requests == []
    assert pipe.sink.json["error"]["param"] == "encoding_format"
    for known in ("float", "base64", None):
        ask(pipe, model=model, encoding_format=known)
    assert len(pipe.upstream_requests) == 3


def test_a_provider_without_embeddings_is_an_error() -> None:

    from headway.providers.openai import provider as openai

    pipe = Pipe(provider=replace(openai.PROVIDER, encode_embeddings=None))
    ask(pipe)
    assert pipe.sink.status == 400
    assert "no embeddings" in json.loads(pipe.sink.body)["error"]["message"]


def test_a_response_without_vectors_is_a_protocol_error() -> None:
    pipe = Pipe()
    ask(pipe)
    answer(pipe, {"object": "list"})
    assert pipe.sink.status == 502


@pytest.mark.parametrize("given", [[1, 2, 3], [[1, 2, 3]]])
def test_unreported_input_tokens_are_counted_where_the_input_is_tokens(given: Any) -> None:
    pipe = Pipe()
    ask(pipe, input=given)
    answer(pipe, {**ANSWER, "usage": None})
    ((_, messages, _),) = pipe.counted
    assert messages == b"[]"
    counted_for_no_text = 3  # by the double
    assert pipe.records[0].input_tokens == counted_for_no_text + 3


def test_fewer_vectors_than_inputs_are_an_error_with_its_reason() -> None:
    pipe = Pipe()
    ask(pipe, input=["one", "two"])
    answer(pipe, ANSWER)
    assert pipe.sink.status == 502
    assert "1 vectors for 2 inputs" in json.loads(pipe.sink.body)["error"]["message"]


def test_floats_are_encoded_where_base64_is_asked_for() -> None:
    pipe = Pipe()
    ask(pipe, encoding_format="base64")
    answer(pipe, ANSWER)
    assert json.loads(pipe.sink.body)["data"][0]["embedding"] == "AACAPgAAAD8="


def test_a_request_of_another_format_loses_what_only_that_has() -> None:
    pipe = Pipe()
    body = {"content": {"parts": [{"text": "Hello"}]}, "taskType": "X"}
    pipe.send(ClientRequest("openai/e", (), json.dumps(body).encode()), EmbedContent())
    assert json.loads(pipe.upstream.request.body) == {"model": "e", "input": ["Hello"]}
    answer(pipe, ANSWER)
    assert pipe.sink.json["embedding"] == {"values": [0.25, 0.5]}
    told = pipe.sink.headers[b"x-headway-transformations"]
    assert told == b"dropped taskType: only Google has it"


def test_a_request_of_the_providers_own_format_keeps_it() -> None:
    pipe = Pipe(provider=gemini.PROVIDER)
    body = {"requests": [{"content": {"parts": [{"text": "Hello"}]}, "taskType": "X"}]}
    inbound = ClientRequest("models/openai/e", (), json.dumps(body).encode())
    pipe.send(inbound, EmbedContent(is_batch=True))
    assert json.loads(pipe.upstream.request.body) == {
        "requests": [{**body["requests"][0], "model": "models/e"}]
    }
    answer(pipe, {"embeddings": [{"values": [0.5]}]})
    assert pipe.sink.json == {"embeddings": [{"values": [0.5]}]}
