"""OpenAI's embeddings (platform.openai.com/docs/api-reference/embeddings), which many vendors have
copied: the request is the client's own JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import Embeddings
from headway.providers.error_shapes import NO_ERRORS
from headway.providers.http_errors import error_from_body
from headway.providers.http_headers import bearer_headers
from headway.providers.openai.usage import first_known
from headway.providers.reported_cost import CostFields, read_reported_cost
from headway.types import NO_RAW, EmbeddingsRequest, HttpRequest, Target, Usage
from headway.wire.lenient_json import Count, Position, lenient_decoder
from headway.wire.url import join


class EmbeddingItem(Struct):
    embedding: list[float] | str
    index: Position | None = None


class EmbeddingsUsage(CostFields):
    prompt_tokens: Count | None = None
    total_tokens: Count | None = None


class EmbeddingsResponse(Struct):
    data: list[EmbeddingItem] | None = None
    model: str | None = None
    usage: EmbeddingsUsage | None = None
    error: Raw = NO_RAW


_decode_response = lenient_decoder(EmbeddingsResponse)
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    body: dict[str, Any] = {"model": request.model, "input": request.input}
    body.update(request.parameters)
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream=False)
    return HttpRequest(join(target.base_url, "/embeddings"), headers, _encode(body))


def decode_embeddings(body: bytes) -> Embeddings:
    """The vectors in the order of the inputs. Raises UpstreamError for an error in a response of
    status 200, ValueError for a response without vectors."""
    response = _decode_response(body)
    if bytes(response.error) not in NO_ERRORS:
        raise error_from_body(_decode_any(body), None)
    if response.data is None:
        raise ValueError("the answer has no embeddings")
    usage = response.usage or EmbeddingsUsage()
    return Embeddings(
        vectors=[item.embedding for item in _in_order(response.data)],
        usage=Usage(
            input_tokens=first_known(usage.prompt_tokens, usage.total_tokens),
            cost_usd=read_reported_cost(usage),
        ),
        model=response.model,
    )


def _in_order(items: list[EmbeddingItem]) -> list[EmbeddingItem]:
    """The items by their indexes. Where these are missing, or not different from each other, the
    order is that in which the items came."""
    by_index = {item.index: item for item in items if item.index is not None}
    if len(by_index) < len(items):
        return items
    return [item for _, item in sorted(by_index.items())]
