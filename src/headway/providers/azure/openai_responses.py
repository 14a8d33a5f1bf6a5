"""Azure OpenAI by OpenAI's Responses API, which is part of its v1 API
(learn.microsoft.com/azure/ai-foundry/openai/how-to/responses)."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from headway.providers.azure.credentials import CREDENTIAL_OPTIONS, SECRET_OPTIONS
from headway.providers.azure.endpoint import azure_api, key_check, responses_target
from headway.providers.azure.errors import decode_error
from headway.providers.azure.models import adapt_deployment
from headway.providers.azure.openai import OPERATIONS, encode_embeddings
from headway.providers.openai_responses import provider as openai_responses
from headway.providers.openai_responses import request as responses_request
from headway.providers.wire_formats import AZURE_OPENAI_RESPONSES
from headway.types import ChatRequest, HttpRequest, Target

OPTIONS = {
    "api_version": "v1 by default, or a dated version from 2025-03-01-preview on",
    "model_name": "the model behind the deployment, if the deployment is not named after it",
    **openai_responses.OPTIONS,
    **CREDENTIAL_OPTIONS,
}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    return responses_request.encode_request(request, responses_target(target, request.model))


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    return responses_request.encode_native(request, responses_target(target, request.model))


PROVIDER = replace(
    openai_responses.PROVIDER,
    **AZURE_OPENAI_RESPONSES.facts,
    encode_request=encode_request,
    encode_native=encode_native,
    decode_error=decode_error,
    adapt=partial(adapt_deployment, openai_responses.PROVIDER.adapt),
    encode_embeddings=encode_embeddings,
    operations=OPERATIONS,
    price_id="azure",
    token_count=None,  # not among the operations of its v1 API
    key_check=key_check,
    list_models=None,  # for the same reason as with azure_openai
    options=OPTIONS,
    secrets=SECRET_OPTIONS,
    native=azure_api(openai_responses.PROVIDER.native),
)
