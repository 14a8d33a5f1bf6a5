"""Reranking in the shapes of vendors: Jina's (jina.ai/reranker), which vLLM, llama.cpp, OpenRouter
and Together have copied, is the usual one. Cohere's v2 (docs.cohere.com/reference/rerank) takes
texts only and returns no documents; others call the list of results ``data``
(docs.voyageai.com/reference/reranker-api, docs.fireworks.ai); SGLang (docs.sglang.ai) answers with
a list.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.model_lists import root_of
from headway.providers.operations import Operation, RelayedAdapted, operations
from headway.providers.transformations import emulated, renamed
from headway.types import RelayedRequest, Target, Transformation

RETURNED = emulated("return_documents", "from the documents of the request")


_decode_list = msgspec.json.Decoder(list[Any]).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def adapt_to_cohere(request: RelayedRequest) -> RelayedAdapted:
    """Raises RequestError for documents that are no texts."""
    fields, notes = _with_texts(request)
    if fields.pop("return_documents", None) is not None:
        notes.append(RETURNED)
    return replace(request, parameters=fields), tuple(notes)


def _with_texts(request: RelayedRequest) -> tuple[dict[str, Raw], list[Transformation]]:
    """The fields, with the text of each document that is an object."""
    fields = dict(request.parameters)
    given = _decode_list(fields.get("documents", b"[]"))
    if all(isinstance(document, str) for document in given):
        return fields, []
    texts = [one.get("text") if isinstance(one, dict) else one for one in given]
    if not all(isinstance(text, str) for text in texts):
        message = "`documents` must be texts, or objects with a `text`, for this provider."
        raise RequestError(message, param="documents")
    fields["documents"] = Raw(_encode(texts))
    return fields, [renamed("documents[].text", "documents[]")]


def to_results(body: bytes) -> bytes:
    """The body with its list of documents under the name ``results``, each with its
    ``relevance_score``; an error as it is. Raises what adapters raise for any other."""
    parsed = _decode_any(body)
    found, rest = (parsed, {}) if isinstance(parsed, list) else (parsed.get("data"), parsed)
    if isinstance(found, list) and "results" not in rest:
        kept = {name: value for name, value in rest.items() if name not in ("data", "object")}
        rest = {"results": [_result(one) for one in found], **kept}
        body = _encode(rest)
    if not rest.get("error"):
        _check(rest["results"])
    return body


def _check(results: list[dict[str, Any]]) -> None:
    for result in results:
        if not (isinstance(result["index"], int) and result["index"] >= 0):
            raise ValueError("a result has no index of a document")
        float(result["relevance_score"])


def _result(item: dict[str, Any]) -> dict[str, Any]:
    scored = {"relevance_score" if name == "score" else name: item[name] for name in item}
    if isinstance(scored.get("document"), str):
        scored["document"] = {"text": scored["document"]}
    return scored


def at_root(target: Target, model: str) -> Target:
    """Cohere's base URL may have a version; the path has one."""
    return replace(target, base_url=root_of(target.base_url, "/v1", "/v2"))


COHERE_MODELS = (
    "rerank-v4.0-pro",
    "rerank-v4.0-fast",
    "rerank-v3.5",
    "rerank-english-v3.0",
    "rerank-multilingual-v3.0",
)
"""docs.cohere.com/docs/rerank."""
RERANK = operations("rerank", convert=to_results)
COHERE_RERANK = {
    "rerank": Operation(
        path="/v2/rerank",
        locate=at_root,
        adapt=adapt_to_cohere,
        convert=to_results,
        models=COHERE_MODELS,
    )
}
