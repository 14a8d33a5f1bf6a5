"""OpenAI: chat completions and embeddings (platform.openai.com/docs/api-reference)."""

from msgspec.structs import replace

from headway.providers.base import Provider
from headway.providers.capabilities import native
from headway.providers.http_errors import decode_error
from headway.providers.model_lists import openai_model_list
from headway.providers.openai.completions import OPENAI_MODELS, Completions, with_completions
from headway.providers.openai.converted_request import adapt
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai.fast_path import read_text, summarize
from headway.providers.openai.native import NATIVE
from headway.providers.openai.price_conditions import price_conditions
from headway.providers.openai.request import encode_request
from headway.providers.openai.response import decode_event, decode_response
from headway.providers.openai.wire_rules import RULES
from headway.providers.operations import AUDIO, IMAGES, operations
from headway.providers.rerank import to_results
from headway.providers.wire_formats import OPENAI
from headway.providers.wire_rules import with_rules
from headway.types import Parameter

PENALTY = Parameter(id="", name="", type="float", default=0, min=-2, max=2, step=0.01)
PARAMETERS = (
    Parameter(
        id="temperature", name="Temperature", type="float", default=1, min=0, max=2, step=0.01
    ),
    Parameter(id="max_tokens", name="Maximum tokens", type="integer", default=2048, min=1, step=1),
    Parameter(id="top_p", name="Top P", type="float", default=1, min=0, max=1, step=0.01),
    replace(PENALTY, id="frequency_penalty", name="Frequency penalty"),
    replace(PENALTY, id="presence_penalty", name="Presence penalty"),
)
CAPABILITIES = {
    **native("stream", "tools", "tool_choice", "images", "documents", "audio", "json_object"),
    **native("json_schema", "citations", "logprobs", "embeddings"),
    "reasoning": "partial: takes an effort; returns no reasoning text",
    "caching": "partial: automatic; reports the tokens read",
}

OPERATIONS = {
    **operations("moderations", models=("omni-moderation-latest", "text-moderation-latest")),
    **operations(*IMAGES, *AUDIO),
    # OpenAI has none; servers of its API have Jina's.
    **operations("rerank", convert=to_results, is_vendors=False),
}

CHAT = Provider(
    **OPENAI.facts,
    wire="openai_chat",
    has_custom_tools=True,
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    summarize=summarize,
    read_text=read_text,
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    price_id="openai",
    price_conditions=price_conditions,
    list_models=openai_model_list(),
    native=NATIVE,
    parameters=PARAMETERS,
    capabilities=CAPABILITIES,
)
"""Chat completions and embeddings, which vendors have copied."""
PROVIDER = with_completions(replace(CHAT, operations=OPERATIONS), Completions(models=OPENAI_MODELS))
