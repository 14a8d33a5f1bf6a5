"""Gemini on Vertex AI: the Gemini API's wire format at other addresses, with Google Cloud
credentials (docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).

A key without a project means express mode, whose addresses have neither project nor region
(.../docs/start/express-mode/vertex-ai-express-mode-api-reference).
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers.gemini import provider as gemini
from headway.providers.gemini.embeddings import BATCH_METHOD, encode_vertex_body
from headway.providers.gemini.finish_reasons import VERTEX as FINISHES
from headway.providers.gemini.native import encode_native_body, native_of
from headway.providers.gemini.parameters import VERTEX_AI, adapt
from headway.providers.gemini.request import encode_body
from headway.providers.gemini.response import decode_event, decode_response
from headway.providers.gemini.wire_rules import RULES
from headway.providers.http_headers import Pairs, request_headers
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.token_counts import (
    TokenCount,
    fields_of,
    moved,
    read_count,
    whole_request,
)
from headway.providers.vertex.endpoint import price_conditions, region_of, regional_url
from headway.providers.vertex.model_list import model_list
from headway.providers.wire_formats import VERTEX
from headway.providers.wire_rules import with_rules
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target, Url
from headway.wire.url import join

API_VERSION = "v1"
ACCESS_TOKEN_PREFIX = "ya29."  # noqa: S105 - public: every access token begins so

MODEL_PATTERN = r"gemini|text-(?:multilingual-)?embedding"
"""The beginnings of the names of Gemini's models."""

COUNTED = ("contents", "systemInstruction", "system_instruction", "tools", "generationConfig")
"""The fields that have tokens; others are refused there."""

OPTIONS = {
    "project": "the Google Cloud project; by default that of the credentials",
    "region": "where it runs, as us-central1, us, eu or global (the default)",
    "api_version": "v1 (the default) or v1beta1",
    "credentials_file": "a service account's key or gcloud's application_default_credentials.json",
    "token_uri": "where tokens come from, instead of the address in the credentials",
    "metadata_url": "the metadata server, where there is no file: http://metadata.google.internal",
}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    method = gemini.METHODS[request.stream]
    has_call_ids = _option(target, "api_version", API_VERSION) != "v1"
    body = encode_body(request, has_call_ids=has_call_ids)
    return HttpRequest(
        model_url(target, request.model, method), headers(target, request.stream), body
    )


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """A request of Google's own clients."""
    url = model_url(target, request.model, gemini.METHODS[request.stream])
    pairs = (*headers(target, request.stream), *native_of(request).headers)
    return HttpRequest(url, pairs, encode_native_body(request))


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens (.../model-reference/count-tokens)."""
    sent = whole_request(request, target, encode_request, encode_native)
    return moved(sent, gemini.counting_path(sent), fields_of(sent, COUNTED))


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    method, body = encode_vertex_body(request)
    return HttpRequest(model_url(target, request.model, method), headers(target, False), body)


def model_url(target: Target, model: str, method: str, publisher: str = "google") -> Url:
    """The address of a model's method. Raises InvalidField where it needs a project and none is
    known."""
    project = _option(target, "project", target.credentials.get("project", ""))
    default = "v1beta1" if method == BATCH_METHOD else API_VERSION
    version = _option(target, "api_version", default)
    resource = _resource(model, publisher)
    if not resource.startswith("projects/") and not (target.api_key and not project):
        if not project:
            raise InvalidField(
                f"{target.provider} needs a Google Cloud project: set GOOGLE_CLOUD_PROJECT in the"
                f" gateway's environment or providers.{target.provider}.project in its"
                " configuration.",
                param="project",
            )
        resource = f"projects/{project}/locations/{region_of(target)}/{resource}"
    path = f"/{version}/{quote(resource, safe=gemini.PATH_SAFE)}:{method}"
    return join(regional_url(target), path)


def _resource(model: str, publisher: str) -> str:
    """``model`` is a plain name, publisher/model, endpoints/id, or a full resource name."""
    if model.startswith(("projects/", "publishers/", "endpoints/")):
        return model
    given, _, name = model.removeprefix("models/").rpartition("/")
    return f"publishers/{given or publisher}/models/{name}"


def headers(target: Target, stream: bool) -> Pairs:
    return request_headers(authorization(target), tuple(target.headers.items()), stream)


def authorization(target: Target) -> Pairs:
    """The headers of a key or token, and of the project that is billed."""
    credentials, key = target.credentials, target.api_key
    token = credentials.get("access_token")
    if key is not None and key.startswith(ACCESS_TOKEN_PREFIX):
        token, key = key, None
    if key is not None:
        return (("x-goog-api-key", key),)
    if token is None:
        return ()
    project = credentials.get("quota_project")
    quota = () if project is None else (("x-goog-user-project", project),)
    return (("authorization", f"Bearer {token}"), *quota)


def _option(target: Target, name: str, default: str) -> str:
    return str(target.options.get(name) or default)


PREDICT = r"/publishers/anthropic/models/(?P<model>[^/:]+):(?:rawPredict|streamRawPredict)"
NATIVE = NativeApi(
    headers=authorization,
    base_url=regional_url,
    unversioned=("ws",),
    routes=(
        ReadableRoute(gemini.GENERATE),
        ReadableRoute(PREDICT, kind="vertex_anthropic"),
    ),
)
CHAT = replace(
    gemini.CHAT,
    **VERTEX.facts,
    encode_request=encode_request,
    encode_native=encode_native,
    decode_response=partial(decode_response, FINISHES),
    decode_event=partial(decode_event, FINISHES),
    adapt=with_rules(RULES, partial(adapt, VERTEX_AI)),
    token_count=TokenCount(encode_count, partial(read_count, "totalTokens")),
    encode_embeddings=encode_embeddings,
    price_conditions=price_conditions,
    price_headers={},
    native=NATIVE,
    model_pattern=MODEL_PATTERN,
    list_models=model_list("google", MODEL_PATTERN, regional_url, authorization),
    options=OPTIONS,
)
PROVIDER = gemini.with_relayed_failures(CHAT, FINISHES)
