"""Reranking, in the shape of the route: Jina's at ``/v1/rerank`` (jina.ai/reranker), with Cohere's
fields where the provider has them, and Cohere's at ``/v2/rerank``
(docs.cohere.com/reference/rerank)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import ClientRequest, DecodedRequest, ResponseContext, field
from headway.dialects.openai.relayed import OpenAIRelayed
from headway.errors import InvalidField
from headway.response_accumulator import ResponseAccumulator
from headway.types import RelayedRequest

QUERY = field("query", str | dict[str, Any], "a text")
DOCUMENTS = field("documents", list[str | dict[str, Any]], "a list of texts or objects")
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_results = msgspec.json.Decoder(list[dict[str, Any]]).decode
_encode = msgspec.json.Encoder().encode


class Rerank(OpenAIRelayed):
    """``is_cohere``: the shape of Cohere's second version."""

    def __init__(self, *, is_cohere: bool) -> None:
        super().__init__("rerank")
        self._is_cohere = is_cohere
        if is_cohere:
            self.route, self.name = "/v2/rerank", "cohere_rerank"

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        decoded = super().decode(client_request)
        QUERY.require(decoded.request.parameters)
        if not DOCUMENTS.require(decoded.request.parameters):
            raise InvalidField("`documents` must not be empty.", param="documents")
        return decoded

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        """The provider's own bytes where they have all that the shape requires."""
        body = response.body
        fields: dict[str, Any] = dict(_decode_fields(body))
        added = self._missing(fields, context, response)
        results = _with_documents(fields["results"], context.call.request)
        if results is not None:
            fields["results"] = results
        elif not added:
            return body
        return _encode({**added, **fields})

    def _missing(
        self, fields: dict[str, Any], context: ResponseContext, response: ResponseAccumulator
    ) -> dict[str, Any]:
        """The fields of the shape that the provider's response lacks."""
        usage = response.reported()
        if self._is_cohere:
            meta: dict[str, Any] = {"api_version": {"version": "2"}}
            if usage.search_units is not None:
                meta["billed_units"] = {"search_units": usage.search_units}
            if usage.input_tokens is not None:
                meta["tokens"] = {"input_tokens": usage.input_tokens}
            shape: dict[str, Any] = {"id": context.id, "meta": meta}
        else:
            counts = {"total_tokens": usage.input_tokens}
            shape = {"model": context.sent.model, "usage": counts}
        return {name: value for name, value in shape.items() if name not in fields}


def _with_documents(results: Raw, request: Any) -> list[dict[str, Any]] | None:
    """The results with the documents that the client asked for; None where they are as they should
    be."""
    assert isinstance(request, RelayedRequest)
    if bytes(request.parameters.get("return_documents", b"")) != b"true":
        return None
    parsed = _decode_results(results)
    if all("document" in result for result in parsed):
        return None
    documents = DOCUMENTS.require(request.parameters)
    return [{**result, **_document(documents, result["index"])} for result in parsed]


def _document(documents: list[Any], index: int) -> dict[str, Any]:
    if index >= len(documents):
        return {}
    document = documents[index]
    return {"document": {"text": document} if isinstance(document, str) else document}
