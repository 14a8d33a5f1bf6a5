"""``POST /api/chat`` and ``/api/generate``: Ollama's API (docs.ollama.com/api), with
``provider/model`` as the model. A stream is the default.

The lines of Ollama's own servers are passed through. A request without messages, or with an empty
prompt, loads a model, or with ``"keep_alive": 0`` unloads it: where there is nothing to load, the
reply says that it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    MODEL,
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    MessageWithRole,
    ResponseContext,
    StreamEncoder,
    decode_object,
    field,
    read_key_header,
    refuse_target_fields,
    split_model,
)
from headway.dialects.ollama.errors import OllamaErrors
from headway.dialects.ollama.request import chat_fields, convert
from headway.dialects.ollama.response import Format, OllamaStream, encode_whole, loaded
from headway.response_accumulator import ResponseAccumulator
from headway.types import NO_RAW, ChatRequest, NativeRequest, Request
from headway.wire.json_repair import is_utf8

WIRE, GENERATE = "ollama_chat", "ollama_generate"
MESSAGES = field("messages", list[MessageWithRole], "a list of messages, each with a role")
PROMPT = field("prompt", str, "a text")
STREAM = field("stream", bool, "true or false")
FALSE = b"false"
OPTIONS = (
    "frequency_penalty", "presence_penalty", "seed", "stop", "temperature", "top_k", "top_p",
)  # fmt: skip
PARAMETER_PATHS = {
    "max_completion_tokens": "options.num_predict",
    "max_tokens": "options.num_predict",
    **{name: f"options.{name}" for name in OPTIONS},
}


class _Body(Struct):
    """What a whole response of the same wire format has at least."""

    done: bool
    message: dict[str, Raw] | None = None
    response: str | None = None


_decode_body = msgspec.json.Decoder(_Body).decode


class OllamaChat(OllamaErrors):
    """The dialect of ``/api/chat``, or with ``is_generate`` of ``/api/generate``."""

    checks_parameters = False
    parameter_paths: Mapping[str, str] = PARAMETER_PATHS

    def __init__(self, is_generate: bool = False) -> None:
        self._is_generate = is_generate
        self._form = Format(is_chat=not is_generate)
        self.name = "ollama_generate" if is_generate else "ollama_api_chat"
        self.route = "/api/generate" if is_generate else "/api/chat"
        self.wire: str | None = GENERATE if is_generate else WIRE

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        name = MODEL.require(fields)
        provider, model = split_model(name)
        is_load = not (PROMPT if self._is_generate else MESSAGES).read(fields)
        stream = STREAM.read(fields) is not False and not is_load
        for field_name in ("model", "stream"):
            fields.pop(field_name, None)
        refuse_target_fields(fields)
        chat = chat_fields(fields) if self._is_generate else fields
        request = ChatRequest(
            model=model,
            messages=chat.get("messages", Raw(b"[]")),
            stream=stream,
            native=NativeRequest(self.wire or self.name, fields),
        )
        return DecodedRequest(
            provider=provider,
            model_name=name,
            request=request,
            stream=stream,
            sse=False,
            api_key=read_key_header(client_request.headers),
            own_reply=partial(loaded, name, self._form, fields) if is_load else None,
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        assert request.native is not None
        fields = request.native.fields
        return convert(request, chat_fields(fields) if self._is_generate else fields)

    def passes_through(self, body: bytes) -> bool:
        try:
            found = _decode_body(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        said = found.response if self._is_generate else found.message
        return said is not None and is_utf8(body)

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        shows = _shows_thinking(context.call.request)
        return encode_whole(context, response, metrics, now, self._form, shows)

    def stream(self, context: ResponseContext) -> StreamEncoder:
        shows = _shows_thinking(context.call.request)
        return OllamaStream(context, self._form, shows, context.is_passthrough)


def _shows_thinking(request: Request) -> bool:
    """Unless the client says ``"think": false``."""
    assert isinstance(request, ChatRequest)
    assert request.native is not None
    given: Any = request.native.fields.get("think", NO_RAW)
    return bytes(given) != FALSE
