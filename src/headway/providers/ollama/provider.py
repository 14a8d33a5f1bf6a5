"""Ollama, on this machine or hosted: its own wire, and OpenAI's, which it speaks under /v1
(docs.ollama.com/api; docs.ollama.com/openai).

A base URL that ends in /v1, or the option ``api: openai``, chooses OpenAI's wire. On this machine
there is no key. For the hosted one, configure ``base_url: https://ollama.com`` and
``api_key: ${OLLAMA_API_KEY}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Provider
from headway.providers.chat_messages import ResponseFormat
from headway.providers.http_headers import bearer_headers
from headway.providers.ollama.messages import conversation, with_thoughts
from headway.providers.ollama.model_list import MODEL_LIST
from headway.providers.ollama.parameters import OPTIONS, OWN_OPTIONS, adapt
from headway.providers.ollama.response import EitherFramer, decode_event, decode_response
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import provider as openai
from headway.providers.openai.errors import decode_error
from headway.types import (
    ChatRequest,
    Embeddings,
    EmbeddingsRequest,
    HttpRequest,
    Parameter,
    Target,
    Usage,
)
from headway.wire.url import join

Fields = dict[str, Any]
APIS = ("native", "openai")
SUFFIXES = ("/v1", "/api")
"""What base URLs come with, beside the address."""

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where the option ``api`` is neither of the two, and for messages that
    Ollama cannot be given."""
    if _speaks_openai(target):
        return openai.encode_request(_as_openai(request), _under(target, "/v1"))
    fields = {"stream": request.stream, **_fields(request.parameters)}
    body = {"model": request.model, "messages": conversation(request.messages), **fields}
    url = join(_root(target.base_url), "/api/chat")
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream=False)
    return HttpRequest(url, headers, _encode(body))


def _speaks_openai(target: Target) -> bool:
    api = target.options.get("api")
    if api is None:
        return target.base_url.rstrip("/").endswith("/v1")
    if api not in APIS:
        raise RequestError(f"`api` is {' or '.join(APIS)}, not {api!r}.", param="api")
    return bool(api == "openai")


@lru_cache(maxsize=256)
def _root(base_url: str) -> str:
    root = base_url.rstrip("/")
    suffix = next((suffix for suffix in SUFFIXES if root.endswith(suffix)), "")
    return root.removesuffix(suffix)


def _under(target: Target, path: str) -> Target:
    return replace(target, base_url=_root(target.base_url) + path)


# --- Ollama's own wire ----------------------------------------------------------------------------


def _fields(given: Mapping[str, Raw]) -> Fields:
    """The parameters in their places; ``options`` that the caller gave as such have the last
    word."""
    fields: Fields = {}
    options: dict[str, Raw] = {}
    for name, raw in given.items():
        if name in OPTIONS or name in OWN_OPTIONS:
            options[OPTIONS.get(name, name)] = raw
        elif name == "response_format":
            fields.update(_format(raw))
        elif name != "options":
            fields[name] = raw
    options.update(_object(given.get("options", b"{}")))
    return {**fields, "options": options} if options else fields


def _format(raw: Raw) -> Fields:
    wanted = msgspec.json.decode(raw, type=ResponseFormat)
    if wanted.type == "text":
        return {}
    schema = None if wanted.json_schema is None else wanted.json_schema.schema
    return {"format": schema or "json"}


# --- OpenAI's wire --------------------------------------------------------------------------------

EFFORTS = {"false": "none", "true": None}
"""``think`` as an effort. To think is what models do that can."""


def _as_openai(request: ChatRequest) -> ChatRequest:
    parameters = dict(request.parameters)
    if "max_completion_tokens" in parameters:  # it knows the old name only
        parameters["max_tokens"] = parameters.pop("max_completion_tokens")
    think = parameters.pop("think", None)
    if think is not None:
        text = bytes(think).decode()
        effort = EFFORTS.get(text, text.strip('"'))
        if effort is not None:
            parameters["reasoning_effort"] = Raw(_encode(effort))
    messages = Raw(_encode(with_thoughts(request.messages)))
    return replace(request, messages=messages, parameters=parameters)


# --- Embeddings -----------------------------------------------------------------------------------

NOT_SENT = ("encoding_format", "user")
"""OpenAI's: done by the gateway, or of no use there."""


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    if _speaks_openai(target):
        return openai_embeddings.encode_embeddings(request, _under(target, "/v1"))
    body: Fields = {"model": request.model, "input": request.input}
    body.update((k, raw) for k, raw in request.parameters.items() if k not in NOT_SENT)
    url = join(_root(target.base_url), "/api/embed")
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream=False)
    return HttpRequest(url, headers, _encode(body))


class EmbeddingsAnswer(Struct):
    embeddings: list[list[float] | str] | None = None
    model: str | None = None
    prompt_eval_count: int | None = None


_embeddings = msgspec.json.Decoder(EmbeddingsAnswer).decode


def decode_embeddings(body: bytes) -> Embeddings:
    """Raises ValueError for an answer without vectors."""
    answer = _embeddings(body)
    if answer.embeddings is None:
        return openai_embeddings.decode_embeddings(body)
    usage = Usage(input_tokens=answer.prompt_eval_count)
    return Embeddings(vectors=answer.embeddings, usage=usage, model=answer.model)


# --- Facts ----------------------------------------------------------------------------------------

PARAMETERS = (
    *openai.PARAMETERS,
    Parameter(id="top_k", name="Top K", type="integer", min=0, step=1),
    Parameter(id="min_p", name="Min P", type="float", min=0, max=1, step=0.01),
)
CAPABILITIES = {
    "stream": "native",
    "tools": "native",
    "tool_choice": "partial: none sends no tools, a named one sends no other; none is required",
    "images": "partial: as data, not by URL",
    "documents": "partial: text, which is put into the message",
    "audio": "native: where the model hears",
    "json_object": "native",
    "json_schema": "native",
    "reasoning": "native: effort; thought has no budget",
    "logprobs": "native",
    "embeddings": "native",
}
CONFIGURATION = {
    "api": "native, or openai, which is the default where the base URL ends in /v1; parameters that"
    " OpenAI does not have (top_k, num_ctx, keep_alive, ...) reach the native one only",
}

PROVIDER = Provider(
    name="ollama",
    title="Ollama",
    base_url="http://127.0.0.1:11434",
    key_env=None,
    wire="ollama_chat",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=adapt,
    framer=EitherFramer,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    list_models=MODEL_LIST,
    parameters=PARAMETERS,
    options=CONFIGURATION,
    capabilities=CAPABILITIES,
)
