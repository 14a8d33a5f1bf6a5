from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.gemini.embeddings import EmbedContent
from headway.errors import HeadwayError, InvalidField
from headway.events import Embeddings, EmbeddingsReceived, UsageReported
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, EmbeddingsRequest, Usage

ONE, BATCH = EmbedContent(), EmbedContent(is_batch=True)
ONLY = "only Google has it"


def decode(body: Any, dialect: EmbedContent = ONE, name: str = "models/openai/e") -> Any:
    return dialect.decode(ClientRequest(name, (), json.dumps(body).encode()))


def content(*texts: Any) -> Any:
    return {"parts": [{"text": text} for text in texts]}


def test_a_content_is_one_input() -> None:
    body = {"model": "models/x", "content": content("a", "b"), "output_dimensionality": 3}
    decoded = decode(body)
    request = decoded.request
    assert isinstance(request, EmbeddingsRequest)
    assert (decoded.provider, decoded.model_name, request.model) == ("openai", "openai/e", "e")
    assert json.loads(bytes(request.input)) == ["ab"]
    assert {name: bytes(raw) for name, raw in request.parameters.items()} == {"dimensions": b"3"}
    assert request.native is not None
    assert list(request.native.fields) == ["content", "output_dimensionality"]
    assert request.lost == ()
    assert not decoded.stream


def test_a_batch_has_an_input_each() -> None:
    requests = [{"model": "models/x", "content": content("a")}, {"content": "b"}]
    decoded = decode({"requests": requests}, BATCH)
    assert json.loads(bytes(decoded.request.input)) == ["a", "b"]
    assert decoded.request.parameters == {}


def test_what_only_google_knows_is_lost_elsewhere() -> None:
    parts = ["a", {"inlineData": {}}, {}]
    decoded = decode({"content": {"parts": parts}, "taskType": "X", "title": None})
    assert json.loads(bytes(decoded.request.input)) == ["a"]
    assert list(map(str, decoded.request.lost)) == [
        f"dropped taskType: {ONLY}",
        f"dropped content.parts[].inlineData: {ONLY}",
        f"dropped content.parts[].: {ONLY}",
    ]


BAD: list[tuple[Any, EmbedContent, str]] = [
    ({}, ONE, "content"),
    ({"content": {}}, ONE, "content"),
    ({"content": 7}, ONE, "content"),
    ({"content": {"parts": [7]}}, ONE, "content"),
    ({}, BATCH, "requests"),
    ({"requests": []}, BATCH, "requests"),
    ({"requests": [7]}, BATCH, "requests"),
    ({"requests": [{}]}, BATCH, "content"),
    ({"content": content("a"), "api_key": "k"}, ONE, "api_key"),
]


@pytest.mark.parametrize(("body", "dialect", "param"), BAD)
def test_a_bad_request_is_refused(body: Any, dialect: EmbedContent, param: str) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(body, dialect)
    assert caught.value.param == param


def encoded(dialect: EmbedContent, tokens: int | None) -> Any:
    call = decode({"content": content("a"), "requests": [{"content": content("a")}]}, dialect)
    context = ResponseContext(id="i", request_id="r", created=1, call=call, sent=call.request)
    response = ResponseAccumulator()
    usage = Usage(input_tokens=tokens)
    received = EmbeddingsReceived(Embeddings(vectors=[[0.5, 1.0]], usage=usage))
    response.add([received, UsageReported(usage)])
    return json.loads(dialect.encode(context, response, Metrics(), 0))


def test_vectors_are_values() -> None:
    assert encoded(ONE, None) == {"embedding": {"values": [0.5, 1.0]}}
    assert encoded(BATCH, 3) == {
        "embeddings": [{"values": [0.5, 1.0]}],
        "usageMetadata": {"promptTokenCount": 3},
    }
    call = decode({"requests": [{"content": content("a")}]}, BATCH)
    context = ResponseContext(id="i", request_id="r", created=1, call=call, sent=call.request)
    empty = BATCH.encode(context, ResponseAccumulator(), Metrics(), 0)
    assert json.loads(empty) == {"embeddings": []}


def test_they_are_neither_streamed_nor_chat() -> None:
    assert not ONE.passes_through(b"{}")
    with pytest.raises(TypeError):
        ONE.stream(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ONE.convert_request(ChatRequest(model="m", messages=b""))  # type: ignore[arg-type]
    assert ONE.status_of(HeadwayError("No", status=422)) == 400
