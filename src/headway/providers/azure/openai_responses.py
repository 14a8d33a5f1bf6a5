"""Azure OpenAI, by OpenAI's Responses API
(learn.microsoft.com/azure/ai-foundry/openai/how-to/responses), which is part of its v1 API; with a
dated version it is the resource's, and the deployment is its ``model`` all the same.
"""

from __future__ import annotations

from msgspec.structs import replace

from headway.providers.azure.errors import decode_error
from headway.providers.azure.openai import CREDENTIALS, DATED, SECRETS, encode_embeddings, placed
from headway.providers.base import Adapted
from headway.providers.openai_responses import parameters as openai_responses_limits
from headway.providers.openai_responses import provider as openai_responses
from headway.types import ChatRequest, HttpRequest, Target

OPTIONS = {
    "api_version": "a dated one, from 2025-03-01-preview on; v1 by default",
    "model_name": "the model behind the deployment, where its name does not say it",
    **openai_responses.OPTIONS,
    **CREDENTIALS,
}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    found = placed(target, request.model)
    version = str(target.options.get("api_version") or "")
    address, _, _ = found.base_url.partition("/openai/")
    if DATED.match(version):
        base_url = f"{address}/openai?api-version={version}"
        found = replace(found, base_url=base_url)
    return openai_responses.encode_request(request, found)


def adapt(request: ChatRequest) -> Adapted:
    """By OpenAI's rules for the model that the deployment is named after, or that the option
    ``model_name`` says."""
    name = str(request.options.get("model_name") or request.model)
    adapted, changes = openai_responses_limits.adapt(replace(request, model=name))
    return replace(adapted, model=request.model), changes


PROVIDER = replace(
    openai_responses.PROVIDER,
    name="azure_openai_responses",
    title="Azure OpenAI (Responses)",
    base_url=None,
    key_env="AZURE_OPENAI_API_KEY",
    encode_request=encode_request,
    decode_error=decode_error,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    credentials="entra",
    price_id="azure",
    list_models=None,  # as with azure_openai
    options=OPTIONS,
    secrets=SECRETS,
)
