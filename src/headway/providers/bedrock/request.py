"""Requests to Bedrock's two APIs for chat, Converse and invoke
(docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html).

The model is in the path, as an id, the id of an inference profile, or an ARN. A Bedrock API key is
a bearer token; without one, requests are signed with AWS credentials.
"""

from __future__ import annotations

import msgspec

from headway.errors import RequestError
from headway.providers.anthropic.request import beta_features
from headway.providers.bedrock.converse_request import converse_body
from headway.providers.bedrock.embeddings import encode_embeddings_body
from headway.providers.bedrock.endpoint import model_url
from headway.providers.bedrock.invoke_request import invoke_body, invoke_headers
from headway.providers.bedrock.models import family_of
from headway.providers.http_headers import Pairs, bearer_headers
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target, Url

EVENT_STREAM = "application/vnd.amazon.eventstream"
METHODS = {
    ("converse", False): "converse",
    ("converse", True): "converse-stream",
    ("invoke", False): "invoke",
    ("invoke", True): "invoke-with-response-stream",
}
APIS = ("converse", "invoke")

_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """A request to the API that the option ``api`` names. Raises RequestError where it names
    neither, where a model that is not Anthropic's is to be invoked, and where no region is
    known."""
    api = str(target.options.get("api") or APIS[0])
    if api not in APIS:
        raise RequestError(f"`api` is {' or '.join(APIS)}, not {api!r}.", param="api")
    betas = beta_features(target.options) if family_of(request.model).is_claude else []
    more_headers: Pairs = ()
    if api == "invoke":
        _check_is_anthropic(request.model)
        fields, more_headers = invoke_body(request, betas), invoke_headers(request)
    else:
        fields = converse_body(request, betas)
    return HttpRequest(
        chat_url(api, request, target),
        (*request_headers(target, request.stream), *more_headers),
        _encode(fields),
    )


def chat_url(api: str, request: ChatRequest, target: Target) -> Url:
    """Raises RequestError where no region is known."""
    return model_url(request.model, METHODS[api, request.stream], target)


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Raises RequestError for inputs or models that cannot be embedded."""
    url = model_url(request.model, "invoke", target)
    return HttpRequest(url, request_headers(target, stream=False), encode_embeddings_body(request))


def _check_is_anthropic(model: str) -> None:
    """The ARN of an application inference profile does not say whose model it is."""
    if "anthropic" in model.lower() or model.startswith("arn:"):
        return
    message = f"`api: invoke` is for Anthropic's models, which {model} is not; use converse."
    raise RequestError(message, param="api")


def request_headers(target: Target, stream: bool) -> Pairs:
    return bearer_headers(target.api_key, tuple(target.headers.items()), stream, EVENT_STREAM)
