"""Azure OpenAI by chat completions and embeddings
(learn.microsoft.com/azure/ai-foundry/openai/reference)."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from headway.providers.azure.credentials import CREDENTIAL_OPTIONS, SECRET_OPTIONS
from headway.providers.azure.endpoint import azure_api, chat_target, key_check
from headway.providers.azure.errors import decode_error
from headway.providers.azure.models import adapt_deployment
from headway.providers.azure.response import decode_event, decode_response
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.providers.openai.completions import OPENAI_MODELS, Completions, with_completions
from headway.providers.operations import AUDIO, located, operations
from headway.providers.wire_formats import AZURE_OPENAI
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target

OPTIONS = {
    "api_version": "v1 by default; with a dated version, each deployment has its own address",
    "model_name": "the model behind the deployment, if the deployment is not named after it",
    **CREDENTIAL_OPTIONS,
}
OPERATIONS = located(operations("images/generations", "images/edits", *AUDIO), chat_target)
"""learn.microsoft.com/azure/ai-foundry/openai/reference-preview."""


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    return openai_request.encode_request(request, chat_target(target, request.model))


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    return openai_embeddings.encode_embeddings(request, chat_target(target, request.model))


CHAT = replace(
    openai.CHAT,
    **AZURE_OPENAI.facts,
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    summarize=None,
    read_text=None,
    decode_error=decode_error,
    adapt=partial(adapt_deployment, openai.CHAT.adapt),
    encode_embeddings=encode_embeddings,
    operations=OPERATIONS,
    price_id="azure",
    # Azure's list has models, deployed or not (learn.microsoft.com/rest/api/azureopenai/models/
    # list), but requests name deployments. Since 2023 only the management plane lists those, and
    # only for a known subscription (.../rest/api/aiservices/accountmanagement/deployments/list).
    list_models=None,
    key_check=key_check,
    options=OPTIONS,
    secrets=SECRET_OPTIONS,
    native=azure_api(openai.PROVIDER.native),
)
PROVIDER = with_completions(CHAT, Completions(models=OPENAI_MODELS), chat_target)
