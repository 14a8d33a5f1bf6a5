"""Requests to Ollama: to its own /api/chat (docs.ollama.com/api/chat), and to its copy of OpenAI's
API under /v1 (docs.ollama.com/openai)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.chat_messages import ResponseFormat
from headway.providers.http_headers import bearer_headers
from headway.providers.model_lists import root_of
from headway.providers.ollama.messages import convert_messages, rename_reasoning
from headway.providers.ollama.parameters import NATIVE_OPTIONS, OPTIONS
from headway.providers.openai import request as openai_request
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

Fields = dict[str, Any]
APIS = ("native", "openai")
WIRE, GENERATE = "ollama_chat", "ollama_generate"
NATIVE_PATHS = {WIRE: "/api/chat", GENERATE: "/api/generate"}
EFFORTS = {"false": "none", "true": None}
"""``think`` as an OpenAI effort. None is no effort: a model that can reason does so by default."""

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where the option ``api`` has an unknown value, and for messages that
    Ollama cannot take."""
    if uses_openai_api(target):
        return openai_request.encode_request(_as_openai(request), openai_target(target))
    fields = {"stream": request.stream, **_fields(request.parameters)}
    messages = convert_messages(request.messages)
    return post(target, "/api/chat", {"model": request.model, "messages": messages, **fields})


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """A request of Ollama's own clients, which every server of Ollama takes."""
    assert request.native is not None  # the pipeline calls this only for such requests
    fields = {"model": request.model, "stream": request.stream, **request.native.fields}
    return post(target, NATIVE_PATHS[request.native.wire], fields)


def uses_openai_api(target: Target) -> bool:
    """Raises RequestError where the option ``api`` has an unknown value."""
    api = target.options.get("api")
    if api is None:
        return target.base_url.rstrip("/").endswith("/v1")
    if api not in APIS:
        raise RequestError(f"`api` is {' or '.join(APIS)}, not {api!r}.", param="api")
    return bool(api == "openai")


def openai_target(target: Target) -> Target:
    return replace(target, base_url=f"{_root(target)}/v1")


def post(target: Target, path: str, body: Fields) -> HttpRequest:
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream=False)
    return HttpRequest(join(_root(target), path), headers, _encode(body))


def _root(target: Target) -> str:
    return root_of(target.base_url, "/v1", "/api")


def _fields(given: Mapping[str, Raw]) -> Fields:
    """The body's fields. A field of the client's own ``options`` wins over a parameter."""
    fields: Fields = {}
    options: dict[str, Raw] = {}
    for name, raw in given.items():
        if name in OPTIONS or name in NATIVE_OPTIONS:
            options[OPTIONS.get(name, name)] = raw
        elif name == "response_format":
            fields.update(_format(raw))
        elif name != "options":
            fields[name] = raw
    options.update(_decode_object(given.get("options", b"{}")))
    return {**fields, "options": options} if options else fields


def _format(raw: Raw) -> Fields:
    wanted = msgspec.json.decode(raw, type=ResponseFormat)
    if wanted.type == "text":
        return {}
    schema = None if wanted.json_schema is None else wanted.json_schema.schema
    return {"format": schema or "json"}


def _as_openai(request: ChatRequest) -> ChatRequest:
    parameters = dict(request.parameters)
    if "max_completion_tokens" in parameters:  # /v1 knows the old name only
        parameters["max_tokens"] = parameters.pop("max_completion_tokens")
    think = parameters.pop("think", None)
    if think is not None:
        text = bytes(think).decode()
        effort = EFFORTS.get(text, text.strip('"'))
        if effort is not None:
            parameters["reasoning_effort"] = Raw(_encode(effort))
    messages = Raw(_encode(rename_reasoning(request.messages)))
    return replace(request, messages=messages, parameters=parameters)
