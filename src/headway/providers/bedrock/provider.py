"""Amazon Bedrock: Converse for every model, and Anthropic's own format through invoke
(docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html).

The model stands in the path, as an id, the id of an inference profile, or an ARN. A Bedrock API key
is a bearer token; without one, requests are signed with AWS credentials.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from headway.errors import MissingProviderKey, RequestError
from headway.providers.anthropic.request import betas
from headway.providers.base import Provider
from headway.providers.bedrock import embeddings as bedrock_embeddings
from headway.providers.bedrock import model_list as bedrock_listing
from headway.providers.bedrock.errors import decode_error
from headway.providers.bedrock.models import family_of
from headway.providers.bedrock.parameters import adapt
from headway.providers.bedrock.request import converse, invoke
from headway.providers.bedrock.response import decode_event, decode_response
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    HttpRequest,
    Parameter,
    Target,
    Url,
)
from headway.wire.eventstream import EventStreamFramer
from headway.wire.sigv4 import Key, Scope, sign
from headway.wire.url import join

BASE_URL = "https://bedrock-runtime.{region}.amazonaws.com"
SERVICE = "bedrock"
"""The name that signatures are for."""
AWS = re.compile(
    r"bedrock(?:-\w+)?(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com|api\.aws)"
)
"""Bedrock's own hosts, and the region in them."""
ACCEPT = {False: "application/json", True: "application/vnd.amazon.eventstream"}
METHODS = {
    ("converse", False): "converse",
    ("converse", True): "converse-stream",
    ("invoke", False): "invoke",
    ("invoke", True): "invoke-with-response-stream",
}
APIS = ("converse", "invoke")

_encode = msgspec.json.Encoder().encode


# --- Requests -------------------------------------------------------------------------------------


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """By the option ``api``. Raises RequestError where it is neither of the two, where a model that
    is not Anthropic's should be invoked, and where no region is known."""
    api = str(target.options.get("api") or APIS[0])
    if api not in APIS:
        raise RequestError(f"`api` is {' or '.join(APIS)}, not {api!r}.", param="api")
    beta = betas(target.options) if family_of(request.model).is_claude else []
    headers: dict[str, str] = {}
    if api == "invoke":
        _check_invoked(request.model)
        fields, headers = invoke(request, beta)
    else:
        fields = converse(request, beta)
    return HttpRequest(
        model_url(request.model, METHODS[api, request.stream], target),
        (*_headers(target, ACCEPT[request.stream]), *headers.items()),
        _encode(fields),
    )


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Raises RequestError for what the model does not embed."""
    url = model_url(request.model, "invoke", target)
    return HttpRequest(url, _headers(target, ACCEPT[False]), bedrock_embeddings.encode(request))


def model_url(model: str, method: str, target: Target) -> Url:
    """ARNs have slashes and colons: all of them are escaped, as AWS's own tools do."""
    return join(base_url(target), f"/model/{quote(model, safe='')}/{method}")


def base_url(target: Target) -> str:
    """With the region put in where it stands open."""
    if "{region}" not in target.base_url:
        return target.base_url
    return target.base_url.replace("{region}", region_of(target))


def region_of(target: Target) -> str:
    """As configured, as the credentials' source knows it, or as the address has it. Raises
    RequestError where none of them does."""
    given = target.options.get("region") or target.credentials.get("region")
    if given:
        return str(given)
    found = AWS.search(target.base_url)
    if found is not None:
        return found[1]
    message = f"{target.provider} needs `region`, the AWS region to call, such as us-east-1."
    raise RequestError(message, param="region")


def _check_invoked(model: str) -> None:
    """The id of an application inference profile tells nothing of its model."""
    if "anthropic" in model.lower() or model.startswith("arn:"):
        return
    message = f"`api: invoke` is for Anthropic's models, which {model} is not; use converse."
    raise RequestError(message, param="api")


def _headers(target: Target, accept: str) -> tuple[tuple[str, str], ...]:
    return _fixed_headers(target.api_key, accept, tuple(target.headers.items()))


@lru_cache(maxsize=256)
def _fixed_headers(
    api_key: str | None, accept: str, extra: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    headers = [("content-type", "application/json"), ("accept", accept)]
    if api_key is not None:
        headers.append(("authorization", f"Bearer {api_key}"))
    return (*headers, *extra)


# --- Signing --------------------------------------------------------------------------------------


def sign_request(request: HttpRequest, target: Target, now: float) -> HttpRequest:
    return signed_for(SERVICE, request, target, now)


def signed_for(service: str, request: HttpRequest, target: Target, now: float) -> HttpRequest:
    """``request`` with its signature, unless an API key speaks for it. An address of one's own
    needs no credentials. Raises MissingProviderKey where AWS does, and there are none."""
    if target.api_key is not None:
        return request
    key = _key(target)
    if key is not None:
        return sign(request, key, Scope(region_of(target), service), now)
    if AWS.search(request.url.host) is None:
        return request
    raise MissingProviderKey(
        f"There are no credentials for {target.provider}: set AWS_BEARER_TOKEN_BEDROCK or AWS's"
        f" own variables in the gateway's environment, or providers.{target.provider}.api_key or"
        " access_key and secret_key in its configuration, or send `api_key`.",
        param="api_key",
        provider=target.provider,
    )


def _key(target: Target) -> Key | None:
    """What a source of credentials gave, else what is configured."""
    for values in (target.credentials, target.options):
        access_key, secret_key = values.get("access_key"), values.get("secret_key")
        if access_key and secret_key:
            token: Any = values.get("session_token") or None
            return Key(str(access_key), str(secret_key), token)
    return None


# --- Facts ----------------------------------------------------------------------------------------

PARAMETERS = (
    # Up to 1 there; more, as OpenAI takes it, is clamped and not refused.
    Parameter(
        id="temperature", name="Temperature", type="float", default=1, min=0, max=2, step=0.01
    ),
    Parameter(id="max_tokens", name="Maximum tokens", type="integer", default=2048, min=1, step=1),
    Parameter(id="top_p", name="Top P", type="float", default=1, min=0, max=1, step=0.01),
    Parameter(id="top_k", name="Top K", type="integer", min=0, step=1),
)
CREDENTIALS = {
    "region": "the AWS region, such as us-east-1",
    "access_key": "an AWS access key id",
    "secret_key": "its secret access key",
    "session_token": "the session token of temporary credentials",
    "profile": "a profile of AWS's shared files",
    "role_arn": "a role to assume",
    "role_session_name": "the name of the role's session; headway by default",
    "external_id": "the external id that the role asks for",
    "duration_seconds": "how long the role's credentials last",
    "web_identity_token_file": "a file with a token to assume the role with",
}
SECRETS = frozenset({"access_key", "secret_key", "session_token"})
OPTIONS = {
    **CREDENTIALS,
    "api": "converse, which is the default, or invoke, for Anthropic's models in their own format",
    "beta": "names of Anthropic's beta features, a list or with commas",
}
CAPABILITIES = {
    "stream": "native",
    "tools": "native",
    "tool_choice": "partial: none is emulated; older families are told in words",
    "images": "native: as data or in S3",
    "documents": "native: as data or in S3",
    "audio": "native: where the model hears",
    "json_object": "emulated: the model is told in words",
    "json_schema": "native: where the model keeps to schemas, else it is told in words",
    "reasoning": "native: Claude, Nova 2 and OpenAI's models",
    "reasoning_replay": "native: Claude",
    "caching": "native: 5m and 1h",
    "citations": "native",
    "embeddings": "native: Titan, Nova and Cohere",
}

PROVIDER = Provider(
    name="bedrock",
    title="Amazon Bedrock",
    base_url=BASE_URL,
    key_env="AWS_BEARER_TOKEN_BEDROCK",
    wire="bedrock_converse",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=adapt,
    framer=EventStreamFramer,
    encode_embeddings=encode_embeddings,
    decode_embeddings=bedrock_embeddings.decode,
    sign=sign_request,
    credentials="aws",
    price_id="aws",
    list_models=bedrock_listing.of(base_url),
    parameters=PARAMETERS,
    options=OPTIONS,
    secrets=SECRETS,
    capabilities=CAPABILITIES,
)
