"""Anthropic's models on Google's Vertex AI
(docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude).

The same wire as the Claude API's, but that the model stands in the URL, the version in the body,
and that Google's access token opens the door.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from headway.errors import RequestError
from headway.providers.anthropic.errors import decode_error
from headway.providers.anthropic.parameters import adapt
from headway.providers.anthropic.provider import ACCEPTED, CAPABILITIES, PARAMETERS
from headway.providers.anthropic.request import betas, body, encode
from headway.providers.anthropic.response import decode_event, decode_response
from headway.providers.base import Provider
from headway.providers.vertex import model_list as vertex_listing
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

VERSION = "vertex-2023-10-16"
GLOBAL = "https://aiplatform.googleapis.com"
"""The global endpoint, and what stands for: the endpoint of the region."""
MULTIREGIONS = ("us", "eu")
METHODS = {False: "rawPredict", True: "streamRawPredict"}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where no project is known."""
    fields: dict[str, Any] = {"anthropic_version": VERSION, **body(request)}
    if beta := betas(target.options):
        fields["anthropic_beta"] = beta
    if request.stream:
        fields["stream"] = True
    headers = [("content-type", "application/json"), ("accept", ACCEPTED[request.stream])]
    headers += _authorization(target)
    headers += target.headers.items()
    region = str(target.options.get("region") or "global")
    url = join(_host(target.base_url, region), _path(request, target, region))
    return HttpRequest(url, tuple(headers), encode(fields))


def _authorization(target: Target) -> tuple[tuple[str, str], ...]:
    token = target.credentials.get("access_token") or target.api_key
    return () if token is None else (("authorization", f"Bearer {token}"),)


def _listed_at(target: Target) -> str:
    base = _host(target.base_url, str(target.options.get("region") or "global"))
    return base.rpartition("/v1")[0]


def _host(base_url: str, region: str) -> str:
    """Where the region is served, unless the configuration says where to go."""
    base = base_url.rstrip("/")
    if base in (GLOBAL, "") and region in MULTIREGIONS:
        base = f"https://aiplatform.{region}.rep.googleapis.com"
    elif base in (GLOBAL, ""):
        base = GLOBAL if region == "global" else f"https://{region}-aiplatform.googleapis.com"
    return base if base.endswith(("/v1", "/v1beta1")) else base + "/v1"


def _path(request: ChatRequest, target: Target, region: str) -> str:
    project = target.options.get("project") or target.credentials.get("project")
    if not project:
        message = (
            f"{target.provider} needs `project`, the Google Cloud project that pays: set it in its"
            " configuration, or ANTHROPIC_VERTEX_PROJECT_ID in the gateway's environment."
        )
        raise RequestError(message, param="project")
    where = f"/projects/{project}/locations/{region}/publishers/anthropic/models/"
    return f"{where}{quote(request.model, safe='@.-_')}:{METHODS[request.stream]}"


PROVIDER = Provider(
    name="vertex_anthropic",
    title="Anthropic on Vertex AI",
    base_url=GLOBAL,
    key_env=None,
    wire="anthropic_messages",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=adapt,
    credentials="google",
    price_id="google",
    model_pattern="claude",
    list_models=vertex_listing.of("anthropic", "claude", _listed_at, _authorization),
    parameters=PARAMETERS,
    options={
        "project": "the Google Cloud project",
        "region": "a region, `us`, `eu` or `global`, which is the default",
        "credentials_file": "a service account's key or application_default_credentials.json",
        "token_uri": "where tokens come from, instead of the address in the credentials",
        "metadata_url": "the metadata server, where there is no file",
        "beta": "names of beta features for `anthropic_beta`, a list or with commas",
    },
    capabilities=CAPABILITIES,
)
