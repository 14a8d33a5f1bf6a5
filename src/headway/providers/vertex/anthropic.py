"""Anthropic's models on Google's Vertex AI
(docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude).

The wire format of the Claude API, with the model in the URL, the version in the body, and Google's
access token for authentication.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.anthropic import provider as anthropic
from headway.providers.anthropic.native_request import COUNTED, merged_betas
from headway.providers.anthropic.request import beta_features, encode, request_body
from headway.providers.http_headers import request_headers
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
from headway.providers.wire_formats import VERTEX_ANTHROPIC
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

ANTHROPIC_VERSION = "vertex-2023-10-16"
METHODS = {False: "rawPredict", True: "streamRawPredict"}
"""The method, by whether the response is a stream."""
COUNT_MODEL = "count-tokens:rawPredict"
API_VERSIONS = ("/v1", "/v1beta1")


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where no project is known."""
    fields: dict[str, Any] = {"anthropic_version": ANTHROPIC_VERSION, **request_body(request)}
    if betas := beta_features(target.options):
        fields["anthropic_beta"] = betas
    return _http_request(request, target, fields)


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """The client's own fields. Beta features are in the body here. Raises RequestError where no
    project is known."""
    assert request.native is not None
    fields: dict[str, Any] = {"anthropic_version": ANTHROPIC_VERSION, **request.native.fields}
    if betas := merged_betas(request, target):
        fields["anthropic_beta"] = betas
    return _http_request(request, target, fields)


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens (.../partner-models/claude/count-tokens): a model of
    its own counts, for the one in the body. Raises RequestError where no project is known."""
    sent = whole_request(request, target, encode_request, encode_native)
    names = None if request.native is not None else ("anthropic_version", *COUNTED)
    path = sent.url.path.rpartition("/")[0] + "/" + COUNT_MODEL
    return moved(sent, path, {"model": request.model, **fields_of(sent, names)})


def _http_request(request: ChatRequest, target: Target, fields: dict[str, Any]) -> HttpRequest:
    if request.stream:
        fields["stream"] = True
    extra = tuple(target.headers.items())
    headers = request_headers(_authorization(target), extra, request.stream)
    url = join(_versioned_url(target), _path(request, target))
    return HttpRequest(url, headers, encode(fields))


def _authorization(target: Target) -> tuple[tuple[str, str], ...]:
    token = target.credentials.get("access_token") or target.api_key
    return () if token is None else (("authorization", f"Bearer {token}"),)


def _versioned_url(target: Target) -> str:
    base = regional_url(target).rstrip("/")
    return base if base.endswith(API_VERSIONS) else base + "/v1"


def _list_url(target: Target) -> str:
    """The base URL without a version: the list of models has another version."""
    return _versioned_url(target).rpartition("/v1")[0]


def _path(request: ChatRequest, target: Target) -> str:
    project = target.options.get("project") or target.credentials.get("project")
    if not project:
        message = (
            f"{target.provider} needs `project`, the Google Cloud project that pays: set it in its"
            " configuration, or ANTHROPIC_VERTEX_PROJECT_ID in the gateway's environment."
        )
        raise RequestError(message, param="project")
    models = f"/projects/{project}/locations/{region_of(target)}/publishers/anthropic/models/"
    return f"{models}{quote(request.model, safe='@.-_')}:{METHODS[request.stream]}"


NATIVE = NativeApi(
    headers=_authorization,
    base_url=regional_url,
    routes=(ReadableRoute(r"/(?P<model>[^/:]+):(?:rawPredict|streamRawPredict)"),),
)
PROVIDER = replace(
    anthropic.PROVIDER,
    **VERTEX_ANTHROPIC.facts,
    encode_request=encode_request,
    encode_native=encode_native,
    token_count=TokenCount(encode_count, partial(read_count, "input_tokens")),
    native=NATIVE,
    price_id="google",
    price_conditions=price_conditions,
    model_pattern="claude",
    list_models=model_list("anthropic", "claude", _list_url, _authorization),
    options={
        "project": "the Google Cloud project",
        "region": "a region, `us`, `eu` or `global`, which is the default",
        "credentials_file": "a service account's key or application_default_credentials.json",
        "token_uri": "where tokens come from, instead of the address in the credentials",
        "metadata_url": "the metadata server, where there is no file",
        "beta": "names of beta features for `anthropic_beta`, a list or with commas",
    },
)
