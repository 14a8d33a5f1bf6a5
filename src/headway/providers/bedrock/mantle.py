"""Amazon Bedrock's other door, which speaks OpenAI's language
(docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html).

OpenAI's wire, with Bedrock's keys: an API key as a bearer token, or a signature, whose service has
a name of its own (the bedrock guide of OpenAI's SDKs names it).
"""

from __future__ import annotations

from msgspec.structs import replace

from headway.providers import model_lists as listing
from headway.providers.base import Adapted
from headway.providers.bedrock.provider import CREDENTIALS, SECRETS, base_url, signed_for
from headway.providers.model_lists import ModelList
from headway.providers.openai import provider as openai
from headway.types import ChatRequest, HttpRequest, Target

SERVICE = "bedrock-mantle"


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where no region is known."""
    return openai.encode_request(request, replace(target, base_url=base_url(target)))


def adapt(request: ChatRequest) -> Adapted:
    """By OpenAI's rules for its models, which have its name before theirs here."""
    plain = request.model.removeprefix("openai.")
    adapted, changes = openai.adapt(replace(request, model=plain))
    return replace(adapted, model=request.model), changes


def encode_list(target: Target, page: str | None) -> HttpRequest:
    """Raises RequestError where no region is known."""
    return listing.OPENAI.encode(replace(target, base_url=base_url(target)), page)


def sign_request(request: HttpRequest, target: Target, now: float) -> HttpRequest:
    return signed_for(SERVICE, request, target, now)


PROVIDER = replace(
    openai.PROVIDER,
    name="bedrock_mantle",
    title="Amazon Bedrock (OpenAI-compatible)",
    base_url="https://bedrock-mantle.{region}.api.aws/v1",
    key_env="AWS_BEARER_TOKEN_BEDROCK",
    encode_request=encode_request,
    adapt=adapt,
    encode_embeddings=None,
    decode_embeddings=None,
    sign=sign_request,
    credentials="aws",
    price_id="aws",
    model_pattern=r"openai\.(?!.*:)",
    list_models=ModelList(encode_list, listing.read_openai),
    options=CREDENTIALS,
    secrets=SECRETS,
    capabilities={
        "stream": "native",
        "tools": "native",
        "tool_choice": "native",
        "json_object": "native",
        "json_schema": "native",
        "reasoning": "native: an effort in, its text out",
    },
)
