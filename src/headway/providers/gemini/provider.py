"""Google's Gemini API, as AI Studio gives keys for it (ai.google.dev/api).

Vertex AI uses the same wire format, and all of this package but this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from headway.providers.base import OtherWire, Provider
from headway.providers.capabilities import native
from headway.providers.gemini.embeddings import BATCH_METHOD, decode_embeddings, encode_studio_body
from headway.providers.gemini.errors import decode_error
from headway.providers.gemini.finish_reasons import STUDIO, FinishRules
from headway.providers.gemini.model_list import MODEL_LIST
from headway.providers.gemini.native import adapt_native, encode_native_body, native_of
from headway.providers.gemini.parameters import AI_STUDIO, adapt
from headway.providers.gemini.relayed_text import read_relayed_text
from headway.providers.gemini.request import encode_body
from headway.providers.gemini.response import decode_event, decode_response
from headway.providers.gemini.wire_rules import RULES
from headway.providers.http_headers import Pairs, request_headers
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.openai.provider import PARAMETERS as OPENAI_PARAMETERS
from headway.providers.operations import located, operations
from headway.providers.token_counts import (
    TokenCount,
    fields_of,
    moved,
    read_count,
    whole_request,
)
from headway.providers.wire_formats import GEMINI
from headway.providers.wire_rules import with_rules
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Parameter, Target
from headway.wire.url import join

METHODS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}
"""By ``ChatRequest.stream``. Without alt=sse a stream is one JSON array."""
COLLECTIONS = ("models/", "tunedModels/", "corpora/")
PATH_SAFE = "/:@.-_~"


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    path = f"/{resource_of(request.model)}:{METHODS[request.stream]}"
    headers = _headers(target, request.stream)
    return HttpRequest(
        join(target.base_url, path), headers, encode_body(request, has_call_ids=True)
    )


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """A request of Google's own clients."""
    path = f"/{resource_of(request.model)}:{METHODS[request.stream]}"
    headers = (*_headers(target, request.stream), *native_of(request).headers)
    return HttpRequest(join(target.base_url, path), headers, encode_native_body(request))


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens (ai.google.dev/api/tokens)."""
    sent = whole_request(request, target, encode_request, encode_native)
    name = request.model if request.model.startswith(COLLECTIONS) else f"models/{request.model}"
    fields = {"generateContentRequest": {"model": name, **fields_of(sent)}}
    return moved(sent, counting_path(sent), fields)


def counting_path(sent: HttpRequest) -> str:
    return f"{sent.url.path.rpartition(':')[0]}:countTokens"


def with_relayed_failures(provider: Provider, rules: FinishRules) -> Provider:
    """``provider``, whose clients of its own wire format get its reasons without usable output as
    it gives them."""
    relaying = replace(rules, relays_failures=True)
    own = replace(
        provider,
        decode_response=partial(decode_response, relaying),
        decode_event=partial(decode_event, relaying),
    )
    return replace(provider, other_wires={provider.wire: OtherWire(own, every_model)})


def every_model(model: str, options: Mapping[str, Any]) -> bool:
    return True


def resource_of(model: str) -> str:
    """``models/gemini-2.5-pro`` for ``gemini-2.5-pro``; a full name stays as it is. Percent-encoded
    for a path."""
    return quote(model if model.startswith(COLLECTIONS) else f"models/{model}", safe=PATH_SAFE)


def _headers(target: Target, stream: bool) -> Pairs:
    return request_headers(authorization(target), tuple(target.headers.items()), stream)


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    resource = resource_of(request.model)
    url = join(target.base_url, f"/{resource}:{BATCH_METHOD}")
    headers = _headers(target, stream=False)
    return HttpRequest(url, headers, encode_studio_body(request, resource))


def openai_target(target: Target, model: str) -> Target:
    """Its routes in OpenAI's format (ai.google.dev/gemini-api/docs/openai)."""
    return replace(target, base_url=f"{target.base_url.rstrip('/')}/openai")


PARAMETERS = (
    *OPENAI_PARAMETERS,
    Parameter(id="top_k", name="Top K", type="integer", min=1, step=1),
    Parameter(id="seed", name="Seed", type="integer", step=1),
)

CAPABILITIES = {
    **native("stream", "tools", "tool_choice", "images", "documents", "audio", "json_object"),
    **native("reasoning_replay", "citations", "logprobs", "embeddings"),
    "json_schema": "native: from 2.5 on, for older models OpenAPI's keywords only",
    "reasoning": "native: a level from 3 on, a budget for 2.5",
    "caching": "partial: implicit, or by the name of a `cachedContent`; markers are dropped",
}


def authorization(target: Target) -> Pairs:
    return () if target.api_key is None else (("x-goog-api-key", target.api_key),)


GENERATE = r"/(?P<model>[^/:]+):(?:generateContent|streamGenerateContent)"
EMBED = r"/(?P<model>[^/:]+):batchEmbedContents"
UNVERSIONED = ("batch", "download", "upload", "ws")
"""Uploads, batches and the Live API (ai.google.dev/gemini-api/docs/files, /live)."""
NATIVE = NativeApi(
    headers=authorization,
    unversioned=UNVERSIONED,
    routes=(ReadableRoute(GENERATE), ReadableRoute(EMBED, is_embeddings=True)),
)

CHAT = Provider(
    **GEMINI.facts,
    wire="gemini",
    encode_request=encode_request,
    encode_native=encode_native,
    adapt_native=adapt_native,
    decode_response=partial(decode_response, STUDIO),
    decode_event=partial(decode_event, STUDIO),
    decode_error=decode_error,
    read_relayed_text=read_relayed_text,
    texts_have_usage=True,
    adapt=with_rules(RULES, partial(adapt, AI_STUDIO)),
    wire_rules=RULES,
    token_count=TokenCount(encode_count, partial(read_count, "totalTokens")),
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    operations=located(operations("images/generations"), openai_target),
    price_id="google",
    # ai.google.dev/gemini-api/docs/priority-inference: older responses lack it in the usage
    price_headers={b"x-gemini-service-tier": "service_tier"},
    model_pattern=r"(?:gemini|gemma)(?!.*-maas)",
    # pipecat-ai/pipecat pull request 5821: newer ones refuse a request that ends with a model turn
    prefill_models=r"gemini-(?:1\.|2\.|3-|3\.1-|pro-latest)",
    list_models=MODEL_LIST,
    native=NATIVE,
    parameters=PARAMETERS,
    capabilities=CAPABILITIES,
)
PROVIDER = with_relayed_failures(CHAT, STUDIO)
