"""``POST /api/embed``, and its older form ``/api/embeddings``: Ollama's embeddings
(docs.ollama.com/api/embed), with ``provider/model`` as the model."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.dialects.base import (
    MODEL,
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
from headway.dialects.ollama.chat import WIRE
from headway.dialects.ollama.errors import OllamaErrors
from headway.dialects.ollama.request import ONLY_OLLAMA
from headway.dialects.ollama.response import NANOSECONDS
from headway.response_accumulator import ResponseAccumulator
from headway.types import EmbeddingsRequest, NativeRequest, Transformation

INPUT = field("input", str | list[str], "a text or a list of texts")
PROMPT = field("prompt", str, "a text")

_encode = msgspec.json.Encoder().encode


class OllamaEmbed(EmbeddingsDialect, OllamaErrors):
    """The dialect of ``/api/embed``, or with ``is_old`` of ``/api/embeddings``."""

    wire = WIRE

    def __init__(self, is_old: bool = False) -> None:
        self._is_old = is_old
        self._input = PROMPT if is_old else INPUT
        self.name = "ollama_embeddings" if is_old else "ollama_embed"
        self.route = "/api/embeddings" if is_old else "/api/embed"

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        name = MODEL.require(fields)
        provider, model = split_model(name)
        refuse_target_fields(fields)
        if not self._input.require(fields):
            raise self._input.invalid()
        del fields["model"]
        given = fields.pop(self._input.name)
        parameters = {"dimensions": fields["dimensions"]} if "dimensions" in fields else {}
        lost = [name for name in fields if name != "dimensions"]
        return DecodedRequest(
            provider=provider,
            model_name=name,
            request=EmbeddingsRequest(
                model=model,
                input=given,
                parameters=parameters,
                native=NativeRequest(WIRE, fields),
                lost=tuple(Transformation("dropped", each, ONLY_OLLAMA) for each in lost),
            ),
            api_key=read_key_header(client_request.headers),
        )

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        vectors = [] if response.embeddings is None else response.embeddings.vectors
        if self._is_old:
            return _encode({"embedding": vectors[0]})
        started, latency = response.started, getattr(metrics, "latency_s", None)
        found: dict[str, Any] = {
            "model": (started and started.model) or context.sent.model,
            "embeddings": vectors,
            "total_duration": int((latency or 0) * NANOSECONDS),
            "load_duration": 0,
            "prompt_eval_count": response.reported().input_tokens or 0,
        }
        return _encode(found)
