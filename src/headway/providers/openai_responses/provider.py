"""OpenAI by its Responses API (platform.openai.com/docs/api-reference/responses). Embeddings are
those of OpenAI's other API."""

from functools import partial

from msgspec.structs import replace

from headway.providers.base import Provider
from headway.providers.capabilities import native
from headway.providers.http_errors import decode_error
from headway.providers.model_lists import openai_model_list
from headway.providers.native_api import ReadableRoute
from headway.providers.openai import provider as openai
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai.native import COMPLETIONS, EMBEDDINGS, RESPONSES
from headway.providers.openai.native import NATIVE as OPENAI_API
from headway.providers.openai.price_conditions import price_conditions
from headway.providers.openai_responses.native import adapt_native
from headway.providers.openai_responses.parameters import adapt
from headway.providers.openai_responses.request import encode_count, encode_native, encode_request
from headway.providers.openai_responses.response import decode_event, decode_response
from headway.providers.openai_responses.wire_rules import RULES
from headway.providers.token_counts import TokenCount, read_count
from headway.providers.wire_formats import OPENAI_RESPONSES
from headway.providers.wire_rules import with_rules

PARAMETERS = openai.PARAMETERS[:3]
NATIVE = replace(
    OPENAI_API,
    routes=(
        ReadableRoute(COMPLETIONS, kind="openai"),
        ReadableRoute(RESPONSES),
        ReadableRoute(EMBEDDINGS, is_embeddings=True),
    ),
)
OPTIONS = {
    "encrypted_reasoning": "whether to ask for encrypted reasoning, which can be sent back; by"
    " default for OpenAI's reasoning models and for requests that ask for reasoning",
    "reasoning_summary": "auto, concise or detailed: the reasoning summary to ask for if a request"
    " does not say (OpenAI gives summaries to verified organizations)",
}
CAPABILITIES = {
    **native("stream", "tools", "tool_choice", "images", "documents", "json_object", "json_schema"),
    **native("reasoning_replay", "citations", "logprobs", "embeddings"),
    "reasoning": "native: takes an effort; returns summaries on request",
    "caching": "partial: automatic; reports the tokens read and written",
}

PROVIDER = Provider(
    **OPENAI_RESPONSES.facts,
    wire="openai_responses",
    has_custom_tools=True,
    encode_request=encode_request,
    encode_native=encode_native,
    adapt_native=adapt_native,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    token_count=TokenCount(encode_count, partial(read_count, "input_tokens")),
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    operations=openai.OPERATIONS,
    price_id="openai",
    price_conditions=price_conditions,
    list_models=openai_model_list(),
    native=NATIVE,
    parameters=PARAMETERS,
    options=OPTIONS,
    capabilities=CAPABILITIES,
)
