"""``POST /v1beta/models/{model}:embedContent`` and ``:batchEmbedContents``: Google's embeddings
(ai.google.dev/api/embeddings), with ``provider/model`` as the model."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    ClientRequest,
    DecodedRequest,
    EmbeddingsDialect,
    ResponseContext,
    decode_object,
    field,
    read_key_header,
    refuse_target_fields,
    split_model,
)
from headway.dialects.gemini.contents import ONLY_GOOGLE
from headway.dialects.gemini.errors import GeminiErrors
from headway.dialects.gemini.generate import WIRE
from headway.dialects.gemini.names import Fields, model_of, read_list, read_object
from headway.errors import InvalidField
from headway.response_accumulator import ResponseAccumulator
from headway.types import EmbeddingsRequest, NativeRequest, Transformation

CONTENT = field("content", Any, "a content with parts")
REQUESTS = field("requests", list[dict[str, Any]], "a list of requests, each with a content")
READ = ("content", "model", "outputDimensionality")

_encode = msgspec.json.Encoder().encode


class EmbedContent(EmbeddingsDialect, GeminiErrors):
    """The dialect of ``:embedContent``, or with ``is_batch`` of ``:batchEmbedContents``."""

    wire = WIRE

    def __init__(self, is_batch: bool = False) -> None:
        self._is_batch = is_batch
        method = "batchEmbedContents" if is_batch else "embedContent"
        self.name = "gemini_embeddings_batch" if is_batch else "gemini_embeddings"
        self.route = f"/v1beta/models/{{model}}:{method}"

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        name = model_of(client_request.argument)
        provider, model = split_model(name)
        fields = decode_object(client_request.body)
        refuse_target_fields(fields)
        fields.pop("model", None)
        given = REQUESTS.require(fields) if self._is_batch else [_parsed(fields)]
        if not given:
            raise REQUESTS.invalid()
        lost: dict[Transformation, None] = {}
        texts = [_text(read_object(each), lost) for each in given]
        first = read_object(given[0])
        parameters: Fields = {}
        if "outputDimensionality" in first:
            parameters["dimensions"] = Raw(_encode(first["outputDimensionality"]))
        return DecodedRequest(
            provider=provider,
            model_name=name,
            request=EmbeddingsRequest(
                model=model,
                input=Raw(_encode(texts)),
                parameters=parameters,
                native=NativeRequest(WIRE, fields),
                lost=tuple(lost),
            ),
            api_key=read_key_header(client_request.headers),
        )

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        found = [] if response.embeddings is None else response.embeddings.vectors
        vectors = [{"values": vector} for vector in found]
        encoded: Fields = {"embeddings": vectors} if self._is_batch else {"embedding": vectors[0]}
        tokens = response.reported().input_tokens
        if tokens is not None:
            encoded["usageMetadata"] = {"promptTokenCount": tokens}
        return _encode(encoded)


def _parsed(fields: dict[str, Raw]) -> Fields:
    CONTENT.require(fields)
    return {name: msgspec.json.decode(raw) for name, raw in fields.items()}


def _text(request: Fields, lost: dict[Transformation, None]) -> str:
    """The text of the request's content. Adds what a provider of another format is not sent."""
    for name in request:
        if name not in READ:
            lost[Transformation("dropped", name, ONLY_GOOGLE)] = None
    texts: list[str] = []
    try:
        content = request.get("content")
        holder = {"parts": content} if isinstance(content, str) else read_object(content)
        for part in read_list(holder["parts"]):
            fields = {"text": part} if isinstance(part, str) else read_object(part)
            if isinstance(fields.get("text"), str):
                texts.append(fields["text"])
            else:
                path = f"content.parts[].{next(iter(fields), '')}"
                lost[Transformation("dropped", path, ONLY_GOOGLE)] = None
    except (LookupError, TypeError):
        raise InvalidField("`content` must be a content with parts.", param="content") from None
    return "".join(texts)
