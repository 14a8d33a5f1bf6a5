"""Perplexity.

Sources: the schema of Perplexity's SDK (it has stop, logprobs, tools and a JSON schema, and no JSON
mode); docs.perplexity.ai, Sonar, Chat completions and Embeddings.
"""

from __future__ import annotations

from array import array
from base64 import b64decode
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from headway.events import Embeddings, Event, ExtraFields, Finished
from headway.providers.capabilities import native
from headway.providers.citations import url_citation
from headway.providers.embedding_vectors import check_encoding
from headway.providers.model_lists import openai_model_list
from headway.providers.openai import embeddings as openai
from headway.providers.openai_compatible.reasoning import ReasoningSupport, nearest_effort
from headway.providers.openai_compatible.request_rules import PENALTIES, TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.response_transforms import EventTransform, Memory
from headway.providers.openai_compatible.usage import ADD_REASONING_TOKENS
from headway.providers.openai_compatible.vendor import Vendor
from headway.providers.role_rules import alternate_roles, begin_with_user, last_system_as_user
from headway.providers.text_rules import continue_by_request, trim_last_message
from headway.providers.tool_rules import json_mode_as_instruction, recursive_schema_as_instruction
from headway.providers.wire_rules import mended
from headway.types import EmbeddingsRequest, HttpRequest, Target
from headway.wire.lenient_json import lenient_decoder

ROLES = "https://docs.perplexity.ai/api-reference/chat-completions-post"
SCHEMAS = "https://docs.perplexity.ai/guides/structured-outputs"
"""Neither schemas that refer to themselves nor objects of any properties are supported."""
BASE_URL = "https://api.perplexity.ai"


class SearchChunk(Struct):
    citations: list[Any] | None = None
    search_results: list[dict[str, Any]] | None = None


_search = lenient_decoder(SearchChunk)


def _search_results(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Every chunk repeats the sources: report them once, at the end, in OpenAI's form and in
    Perplexity's."""
    if not any(isinstance(event, Finished) for event in events):
        return events
    found = _search(data)
    results = found.search_results or [{"url": url} for url in found.citations or ()]
    if not results:
        return events
    fields = {
        "annotations": [
            url_citation(url, result.get("title"))
            for result in results
            if isinstance(url := result.get("url"), str)
        ],
        "citations": found.citations,
        "search_results": found.search_results,
    }
    return [ExtraFields({name: value for name, value in fields.items() if value}), *events]


def _encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Below ``/v1``, unlike chat. ``encoding_format: float`` is unsupported: the default is
    converted to floats here."""
    check_encoding(request.parameters)
    parameters = {k: raw for k, raw in request.parameters.items() if k != "encoding_format"}
    if target.base_url.rstrip("/") == BASE_URL:
        target = replace(target, base_url=f"{BASE_URL}/v1")
    return openai.encode_embeddings(replace(request, parameters=parameters), target)


def _decode_embeddings(body: bytes) -> Embeddings:
    """Vectors are base64 of signed bytes, from -128 to 127 and not of unit length: their cosines
    are correct. OpenAI's are base64 of float32."""
    found = openai.decode_embeddings(body)
    return replace(found, vectors=[_floats(vector) for vector in found.vectors])


def _floats(vector: list[float] | str) -> list[float] | str:
    if isinstance(vector, list):
        return vector
    return [float(value) for value in array("b", b64decode(vector))]


VENDOR = Vendor(
    title="Perplexity",
    order=70,
    base_url=BASE_URL,
    key_env="PERPLEXITY_API_KEY",
    price_id="perplexity",
    wire="openai_chat_perplexity",
    reasoning=(ReasoningSupport(efforts=nearest_effort("minimal", "low", "medium", "high")),),
    request_transforms=(json_mode_as_instruction,),
    request_rules=RequestRules(
        unsupported=("logit_bias", "seed", "service_tier"),
        renamed=TO_MAX_TOKENS,
        neutral=dict.fromkeys(PENALTIES, 0),
        bounds={"temperature": (0, 1.99)},
    ),
    event_transforms=(
        EventTransform(_search_results, text_marker=None),
        ADD_REASONING_TOKENS,  # a count of reasoning above the completion's
    ),
    model_list=openai_model_list("/v1/models", without="/v1"),
    encode_embeddings=_encode_embeddings,
    decode_embeddings=_decode_embeddings,
    wire_rules=(
        mended("schema_recursion", recursive_schema_as_instruction, SCHEMAS),
        mended("system_only", last_system_as_user, ROLES),
        mended("assistant_first", begin_with_user, ROLES),
        mended("system_later", alternate_roles, ROLES),
        mended("user_after_user", alternate_roles, ROLES),
        mended("assistant_after_assistant", alternate_roles, ROLES),
        mended("trailing_whitespace", trim_last_message, ROLES),
        mended("prefill", continue_by_request, ROLES),
    ),
    capabilities={
        **native("stream", "images", "json_schema"),
        **dict.fromkeys(("tools", "tool_choice", "logprobs"), "partial: sent; few models use it"),
        "json_object": "emulated: as an instruction in the system prompt",
        "reasoning": "partial: effort; the text is part of the content",
        "citations": "native: annotations and `search_results`",
        "embeddings": "native: signed bytes, converted to floats",
    },
)
