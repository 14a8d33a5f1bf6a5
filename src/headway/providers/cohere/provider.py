"""Cohere's v2 API (docs.cohere.com/reference/chat, /reference/embed)."""

from headway.providers.base import Provider
from headway.providers.capabilities import native
from headway.providers.cohere.embeddings import decode_embeddings, encode_embeddings
from headway.providers.cohere.errors import decode_error
from headway.providers.cohere.model_list import MODEL_LIST
from headway.providers.cohere.parameters import adapt
from headway.providers.cohere.request import encode_request
from headway.providers.cohere.response import decode_event, decode_response
from headway.providers.cohere.wire_rules import RULES
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.openai import provider as openai
from headway.providers.rerank import COHERE_RERANK
from headway.providers.wire_formats import COHERE
from headway.providers.wire_rules import with_rules
from headway.types import Parameter

TOP_K = Parameter(id="top_k", name="Top K", type="integer", min=0, step=1)
# Cohere's temperature ends at 1: a higher one, as OpenAI takes it, is clamped and not refused.
PARAMETERS = (*openai.PARAMETERS[:3], TOP_K, *openai.PARAMETERS[3:])
CAPABILITIES = {
    **native("stream", "tools", "images", "json_object", "json_schema", "citations"),
    "tool_choice": "partial: from Command R7B on; a named tool is the only one sent",
    "documents": "partial: text files, sent as `documents`",
    "reasoning": "native: a budget, an effort as one",
    "logprobs": "partial: without alternatives",
    "embeddings": "native: `input_type` is `search_document` by default",
}

PROVIDER = Provider(
    **COHERE.facts,
    wire="cohere_v2",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    operations=COHERE_RERANK,
    price_id="cohere",
    list_models=MODEL_LIST,
    native=NativeApi(
        routes=(ReadableRoute("/v2/chat"), ReadableRoute("/v2/embed", is_embeddings=True))
    ),
    parameters=PARAMETERS,
    capabilities=CAPABILITIES,
)
