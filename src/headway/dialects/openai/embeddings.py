"""``POST /v1/embeddings``: OpenAI's embeddings, the model named ``provider/model``."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.dialects.base import (
    MODEL,
    ClientRequest,
    DecodedRequest,
    EmbeddingsDialect,
    OpenAIFormat,
    ResponseContext,
    decode_object,
    field,
    read_key_header,
    refuse_target_fields,
    split_model,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import EmbeddingsRequest

INPUT = field(
    "input",
    str | list[str | int | list[int]],
    "a text, or a list of texts, of tokens, or of lists of tokens",
)
_encode = msgspec.json.Encoder().encode


class OpenAIEmbeddings(OpenAIFormat, EmbeddingsDialect):
    """The dialect of ``/v1/embeddings``; its responses are never streamed."""

    name = "openai_embeddings"
    route = "/v1/embeddings"
    wire = None

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        model_name = MODEL.require(fields)
        provider, model = split_model(model_name)
        if not INPUT.require(fields):
            raise INPUT.invalid()
        del fields["model"]
        refuse_target_fields(fields)
        given = fields.pop("input")
        return DecodedRequest(
            provider=provider,
            model_name=model_name,
            request=EmbeddingsRequest(model=model, input=given, parameters=fields),
            api_key=read_key_header(client_request.headers),
        )

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        tokens = response.reported().input_tokens
        if tokens is None:  # clients require a number: that of the gateway's own count
            tokens = getattr(metrics, "input_tokens", None)
        vectors = [] if response.embeddings is None else response.embeddings.vectors
        found: dict[str, Any] = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": vector}
                for index, vector in enumerate(vectors)
            ],
            "model": (response.started and response.started.model) or context.sent.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return _encode(found)
