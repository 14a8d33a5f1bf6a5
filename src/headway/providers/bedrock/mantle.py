"""Bedrock's OpenAI-compatible endpoint
(docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html).

OpenAI's wire format with Bedrock's authentication: an API key as a bearer token, or a signature for
the service bedrock-mantle (the guide to Bedrock of OpenAI's SDKs has the name).
"""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.bedrock.endpoint import base_url
from headway.providers.bedrock.signing import CREDENTIAL_OPTIONS, SECRET_OPTIONS, sign_request
from headway.providers.capabilities import native
from headway.providers.capability_rules import drop_unsupported
from headway.providers.model_lists import ModelList, openai_model_list
from headway.providers.openai import converted_request
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.providers.wire_formats import BEDROCK_MANTLE
from headway.providers.wire_rules import with_rules
from headway.types import ChatRequest, HttpRequest, Target

OPENAI_LIST = openai_model_list()
CAPABILITIES = {
    **native("stream", "tools", "tool_choice", "json_object", "json_schema"),
    "reasoning": "native: an effort in, its text out",
}
_drop_unsupported = drop_unsupported(BEDROCK_MANTLE.title, CAPABILITIES)


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where no region is known."""
    return openai_request.encode_request(request, replace(target, base_url=base_url(target)))


def adapt(request: ChatRequest) -> Adapted:
    """Adapt by OpenAI's rules for its models, whose ids here begin with ``openai.``."""
    request, first = _drop_unsupported(request)
    openai_name = request.model.removeprefix("openai.")
    adapted, transformations = converted_request.adapt(replace(request, model=openai_name))
    return replace(adapted, model=request.model), (*first, *transformations)


def encode_list(target: Target, page: str | None) -> HttpRequest:
    """Raises RequestError where no region is known."""
    return OPENAI_LIST.encode(replace(target, base_url=base_url(target)), page)


PROVIDER = replace(
    openai.CHAT,
    has_custom_tools=False,
    **BEDROCK_MANTLE.facts,
    encode_request=encode_request,
    adapt=with_rules(openai.CHAT.wire_rules, adapt),
    encode_embeddings=None,
    decode_embeddings=None,
    sign=partial(sign_request, "bedrock-mantle"),
    price_id="aws",
    model_pattern=r"openai\.(?!.*:)",
    native=replace(openai.PROVIDER.native, base_url=base_url),
    list_models=ModelList(encode_list, OPENAI_LIST.decode),
    options=CREDENTIAL_OPTIONS,
    secrets=SECRET_OPTIONS,
    capabilities=CAPABILITIES,
)
