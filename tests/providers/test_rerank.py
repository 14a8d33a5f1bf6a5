"""Rankings between Jina's shape and those of other vendors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.events import UsageReported
from headway.providers import KINDS
from headway.providers.operations import decode_operation, encode_operation
from headway.providers.rerank import adapt_to_cohere, to_results
from headway.types import RelayedRequest, Target
from support.recordings import Recording, chosen, each

QUESTION = {"query": "q", "documents": ["a", {"text": "b", "id": 1}]}


def request(**fields: Any) -> RelayedRequest:
    parameters = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return RelayedRequest(operation="rerank", model="m", parameters=parameters)


def fields_of(adapted: RelayedRequest) -> dict[str, Any]:
    return {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}


def test_vendors_that_take_texts_get_texts() -> None:
    asked = request(**QUESTION, top_n=2, return_documents=True)
    adapted, told = adapt_to_cohere(asked)
    assert fields_of(adapted) == {"query": "q", "documents": ["a", "b"], "top_n": 2}
    assert [str(one) for one in told] == [
        "renamed documents[].text -> documents[]",
        "emulated return_documents: from the documents of the request",
    ]
    plain = request(query="q", documents=["a"])
    assert adapt_to_cohere(plain) == (plain, ())
    for document in ({"image": "x"}, {"text": None}, 7):
        with pytest.raises(RequestError, match="`documents`"):
            adapt_to_cohere(request(documents=["a", document]))


def test_results_have_one_name() -> None:
    for body, results in (
        ({"data": [{"index": 1, "relevance_score": 0.5, "document": "x"}], "object": "list"},
         [{"index": 1, "relevance_score": 0.5, "document": {"text": "x"}}]),
        ([{"index": 0, "score": 1, "document": None}],
         [{"index": 0, "relevance_score": 1, "document": None}]),
        ([], []),
    ):  # fmt: skip
        assert json.loads(to_results(json.dumps(body).encode())) == {"results": results}
    same = b'{ "results": [], "data": [] }'
    assert to_results(same) == same
    failed = b'{"error": {"message": "boom"}}'
    assert to_results(failed) == failed


def test_what_is_no_ranking_is_refused() -> None:
    for body in (
        {}, 7, [1], {"results": 7}, {"results": [{}]}, {"results": [{"index": 1.5}]},
        {"results": [{"index": -1, "relevance_score": 1}]}, {"results": [{"index": 1}]},
        {"results": [{"index": 1, "relevance_score": "x"}]},
    ):  # fmt: skip
        with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
            to_results(json.dumps(body).encode())


@each(chosen(lambda one: one.api in ("rerank", "rerank_v2")))
def test_recorded_rankings_are_read_with_their_usage(recording: Recording) -> None:
    operation = KINDS[recording.provider].operations["rerank"]
    fields = {name: value for name, value in recording.request.items() if name != "model"}
    asked, told = operation.adapt(request(**fields))
    where = Target(provider="p", base_url=recording.url.rsplit("/rerank", 1)[0], api_key="k")
    http = encode_operation(operation, asked, where)
    assert json.loads(http.body) == {**fields, "model": "m"}
    assert (told, recording.url.endswith(http.url.path)) == ((), True)
    _, body, used, _ = decode_operation(operation, asked, recording.body, True)
    assert json.loads(body.body) == json.loads(recording.body)  # type: ignore[union-attr]
    assert isinstance(used, UsageReported)
    assert used.usage.search_units == 1 or (used.usage.input_tokens or 0) > 0
