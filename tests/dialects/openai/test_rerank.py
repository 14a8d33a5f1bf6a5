"""Rankings in the shape of the route, from the provider's own bytes where they have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.openai.rerank import Rerank
from headway.errors import HeadwayError
from headway.events import BodyReceived, UsageReported
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import Usage

JINA, COHERE = Rerank(is_cohere=False), Rerank(is_cohere=True)
ASKED = {"model": "a/b", "query": "q", "documents": ["x", {"text": "y", "id": 7}]}
RESULTS = [{"index": 1, "relevance_score": 0.5}, {"index": 0, "relevance_score": 0.25}]


def encode(dialect: Rerank, body: Any, usage: Usage | None = None, **fields: Any) -> bytes:
    request = ClientRequest("", (), json.dumps({**ASKED, **fields}).encode())
    decoded = dialect.decode(request)
    response = ResponseAccumulator()
    response.add([BodyReceived(json.dumps(body).encode()), UsageReported(usage or Usage())])
    context = ResponseContext(id="r", request_id="q", created=1, call=decoded, sent=decoded.request)
    return dialect.encode(context, response, Metrics(), 0.0)


def test_the_routes_are_those_that_the_clients_call() -> None:
    assert (JINA.route, JINA.name) == ("/v1/rerank", "openai_rerank")
    assert (COHERE.route, COHERE.name) == ("/v2/rerank", "cohere_rerank")


def test_a_body_that_has_the_shape_is_passed_on() -> None:
    jina = {"usage": {"total_tokens": 3}, "results": RESULTS, "model": "m"}
    assert encode(JINA, jina) == json.dumps(jina).encode()
    cohere = {"id": "c", "results": RESULTS, "meta": {}}
    assert encode(COHERE, cohere) == json.dumps(cohere).encode()
    returned = {**jina, "results": [{**RESULTS[0], "document": {"text": "x"}}]}
    assert encode(JINA, returned, return_documents=True) == json.dumps(returned).encode()


def test_what_the_shape_requires_is_added() -> None:
    body = {"results": RESULTS, "extra": 1}
    assert json.loads(encode(JINA, body, Usage(input_tokens=9))) == {
        **body,
        "model": "b",
        "usage": {"total_tokens": 9},
    }
    used = Usage(input_tokens=9, search_units=2)
    assert json.loads(encode(COHERE, body, used)) == {
        **body,
        "id": "r",
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"search_units": 2},
            "tokens": {"input_tokens": 9},
        },
    }
    assert json.loads(encode(COHERE, body))["meta"] == {"api_version": {"version": "2"}}


def test_documents_are_added_where_they_are_asked_for_and_missing() -> None:
    body = {"results": [*RESULTS, {"index": 7, "relevance_score": 0}], "model": "m", "usage": {}}
    first, second, third = json.loads(encode(JINA, body, return_documents=True))["results"]
    assert first["document"] == {"text": "y", "id": 7}
    assert second["document"] == {"text": "x"}
    assert "document" not in third
    for value in (False, None, "true"):
        assert "document" not in encode(JINA, body, return_documents=value).decode()


def test_a_request_without_query_or_documents_is_refused() -> None:
    for name, value in (("query", None), ("query", 7), ("documents", []), ("documents", "x")):
        with pytest.raises(HeadwayError) as found:
            encode(JINA, {}, **{name: value})
        assert found.value.param == name
