"""Mistral's chat completions (docs.mistral.ai/api, Chat): OpenAI's wire with words of its own.

Wire facts, read off recordings: reasoning comes as ``thinking`` parts in a list of contents, a tool
call may lack its index, usage stands on the chunk that finishes, ``p`` pads chunks, and the tokens
of sound are in the total alone. A field that it does not know is refused with 422.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers import openai, openai_embeddings
from headway.providers.changes import Limits, limit
from headway.providers.compatible_rules import flat_effort
from headway.providers.messages import value_of
from headway.providers.openai_messages import MessageRules, ruled
from headway.providers.openai_quirks import audio_beside, encode_without_stream_options, reading
from headway.providers.provider import Adapted
from headway.types import Change, ChatRequest, EmbeddingsRequest, HttpRequest, Target

NO_WORD = "Mistral has no word for it"
LIMITS = Limits(
    dropped=dict.fromkeys(
        (
            "audio",
            "cache_control",
            "function_call",
            "functions",
            "logit_bias",
            "min_p",
            "modalities",
            "prompt_cache_retention",
            "safety_identifier",
            "store",
            "thinking",
            "top_k",
            "user",
            "verbosity",
            "web_search_options",
        ),
        NO_WORD,
    ),
    renamed={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
)
MESSAGES = MessageRules(
    dropped=dict.fromkeys(
        (
            "annotations",
            "audio",
            "cache_control",
            "function_call",
            "is_error",
            "reasoning_details",
            "refusal",
        ),
        NO_WORD,
    ),
    developer="system",
)
_messages = msgspec.json.Decoder(list[dict[str, Any]]).decode
_encode = msgspec.json.Encoder().encode


def adapt(request: ChatRequest) -> Adapted:
    adapted, changes = limit(request, LIMITS)
    adapted, told = ruled(adapted, MESSAGES)
    parameters = dict(adapted.parameters)
    more = [*_choice(request, parameters), *flat_effort(adapted, parameters)]
    adapted = replace(adapted, parameters=parameters, messages=_told(adapted.messages))
    return adapted, (*changes, *told, *more)


def _choice(request: ChatRequest, parameters: dict[str, Raw]) -> list[Change]:
    if value_of(request, "tool_choice") != "required":
        return []
    parameters["tool_choice"] = Raw(b'"any"')
    return [Change("renamed", "tool_choice", "`required` is `any` there")]


# --- Messages -------------------------------------------------------------------------------------


def _told(raw: Raw) -> Raw:
    """Reasoning goes back as a ``thinking`` part before the text, documents as ``document_url``
    (docs.mistral.ai, Reasoning and Document QnA)."""
    text = bytes(raw)
    if b'"reasoning_content"' not in text and b'"file"' not in text:
        return raw
    return Raw(_encode([_message(message) for message in _messages(text)]))


def _message(message: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in message.items() if name != "reasoning_content"}
    if isinstance(message.get("content"), list):
        told["content"] = [_part(part) for part in message["content"]]
    thought = message.get("reasoning_content")
    if thought:
        told["content"] = [_thinking(thought), *_parts(told.get("content"))]
    return told


def _thinking(thought: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def _part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    file = part.get("file")
    if part.get("type") != "file" or not isinstance(file, dict):
        return part
    if file.get("file_id"):
        return {"type": "file", "file_id": file["file_id"]}
    shown = {"type": "document_url", "document_url": file.get("file_data")}
    return {**shown, "document_name": file["filename"]} if file.get("filename") else shown


# --- Embeddings -----------------------------------------------------------------------------------


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """``dimensions`` is ``output_dimension`` there; of a ``user`` it knows nothing."""
    names = {"dimensions": "output_dimension"}
    parameters = {
        names.get(name, name): raw for name, raw in request.parameters.items() if name != "user"
    }
    return openai_embeddings.encode_embeddings(replace(request, parameters=parameters), target)


decode_response, decode_event = reading(audio_beside)

PROVIDER = replace(
    openai.PROVIDER,
    name="mistral",
    title="Mistral",
    base_url="https://api.mistral.ai/v1",
    key_env="MISTRAL_API_KEY",
    wire="mistral_chat",
    encode_request=encode_without_stream_options,
    decode_response=decode_response,
    decode_event=decode_event,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=openai_embeddings.decode_embeddings,
    price_id="mistral",
    options={},
    features={
        "stream": "native",
        "tools": "native",
        "tool_choice": "native: `required` is sent as `any`",
        "images": "native",
        "documents": "native: sent as `document_url`",
        "audio": "native: Voxtral models",
        "json_object": "native",
        "json_schema": "native",
        "reasoning": "native: an effort, no budget",
        "logprobs": "partial: few models",
        "embeddings": "native",
    },
)
