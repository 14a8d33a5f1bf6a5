"""OpenAI's embeddings (platform.openai.com/docs/api-reference/embeddings), and those of everyone
who copied them: the caller's own JSON out, vectors in the order of the inputs back."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.http_headers import bearer_headers
from headway.providers.openai.errors import error_in
from headway.providers.openai.usage import first
from headway.types import NO_RAW, Embeddings, EmbeddingsRequest, HttpRequest, Target, Usage
from headway.wire.url import join


class Datum(Struct):
    embedding: list[float] | str
    index: int | None = None


class Count(Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class Answer(Struct):
    data: list[Datum] | None = None
    model: str | None = None
    usage: Count | None = None
    error: Raw = NO_RAW


_answer = msgspec.json.Decoder(Answer).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    body: dict[str, Any] = {"model": request.model, "input": request.input}
    body.update(request.parameters)
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream=False)
    return HttpRequest(join(target.base_url, "/embeddings"), headers, _encode(body))


def decode_embeddings(body: bytes) -> Embeddings:
    """Raises UpstreamError for an error in an answer of status 200, ValueError for an answer
    without vectors."""
    answer = _answer(body)
    if answer.error and bytes(answer.error) != b"null":
        raise error_in(_any(answer.error), None)
    if answer.data is None:
        raise ValueError("the answer has no embeddings")
    placed = enumerate(answer.data)
    ordered = sorted(placed, key=lambda pair: pair[0] if pair[1].index is None else pair[1].index)
    count = answer.usage or Count()
    return Embeddings(
        vectors=[datum.embedding for _, datum in ordered],
        usage=Usage(input_tokens=first(count.prompt_tokens, count.total_tokens)),
        model=answer.model,
    )
