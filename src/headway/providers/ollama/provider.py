"""Ollama, on this machine or hosted: its own API, and its copy of OpenAI's under /v1
(docs.ollama.com/api; docs.ollama.com/openai).

A base URL that ends in /v1, or the option ``api: openai``, chooses OpenAI's format. A local server
has no key. For the hosted one, configure ``base_url: https://ollama.com`` and
``api_key: ${OLLAMA_API_KEY}``.
"""

from msgspec.structs import replace

from headway.providers.base import OtherWire, Provider
from headway.providers.capabilities import native
from headway.providers.http_errors import decode_error
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.ollama.embeddings import decode_embeddings, encode_embeddings
from headway.providers.ollama.framer import NdjsonOrSseFramer
from headway.providers.ollama.model_list import MODEL_LIST
from headway.providers.ollama.parameters import adapt
from headway.providers.ollama.request import (
    GENERATE,
    WIRE,
    encode_native,
    encode_request,
    openai_target,
)
from headway.providers.ollama.response import decode_event, decode_response
from headway.providers.ollama.wire_rules import RULES
from headway.providers.openai import provider as openai
from headway.providers.openai.completions import Completions, with_completions
from headway.providers.wire_formats import OLLAMA
from headway.providers.wire_rules import with_rules
from headway.types import Parameter

PARAMETERS = (
    *openai.PARAMETERS,
    Parameter(id="top_k", name="Top K", type="integer", min=0, step=1),
    Parameter(id="min_p", name="Min P", type="float", min=0, max=1, step=0.01),
)
CAPABILITIES = {
    **native("stream", "tools", "json_object", "json_schema", "logprobs", "embeddings"),
    "tool_choice": "partial: `none` sends no tools, a named tool is the only one sent",
    "images": "partial: as data, not by URL",
    "documents": "partial: text files, as part of the message",
    "audio": "native: models with audio input",
    "reasoning": "native: an effort, no budget",
}
OPTIONS = {
    "api": "native, or openai, the default for a base URL that ends in /v1; parameters that OpenAI"
    " does not have (top_k, num_ctx, keep_alive, ...) work with native only"
}

CHAT = Provider(
    **OLLAMA.facts,
    wire=WIRE,
    encode_request=encode_request,
    encode_native=encode_native,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    framer=NdjsonOrSseFramer,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    prefill_models="",  # ollama/ollama issue 6778
    list_models=MODEL_LIST,
    native=NativeApi(
        routes=(
            ReadableRoute("/api/chat"),
            ReadableRoute("/chat/completions", kind="openai"),
            ReadableRoute("/api/embed", is_embeddings=True),
        )
    ),
    parameters=PARAMETERS,
    options=OPTIONS,
    capabilities=CAPABILITIES,
)
COMPLETING = with_completions(
    CHAT, Completions(has_one_prompt=True), lambda target, model: openai_target(target)
)
GENERATING = OtherWire(replace(CHAT, wire=GENERATE), lambda model, options: True)
PROVIDER = replace(CHAT, other_wires={**COMPLETING.other_wires, GENERATE: GENERATING})
