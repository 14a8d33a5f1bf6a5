"""Mistral's chat completions (docs.mistral.ai/api, Chat): OpenAI's wire with words of its own.

Wire facts, read off recordings: reasoning comes as ``thinking`` parts in a list of contents, a tool
call may lack its index, usage stands on the chunk that finishes, ``p`` pads chunks, and the tokens
of sound are in the total alone. A field that it does not know is refused with 422.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.chat_messages import Part
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import provider as openai
from headway.providers.openai_compatible.message_rules import MessageRules, apply_message_rules
from headway.providers.openai_compatible.provider import transformed_decoders
from headway.providers.openai_compatible.request_rules import flatten_reasoning
from headway.providers.openai_compatible.request_transforms import encode_without_stream_options
from headway.providers.openai_compatible.usage import ADD_AUDIO_TOKENS
from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target

UNSUPPORTED = "unsupported by Mistral"
LIMITS = ParameterRules(
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
            "user",
            "verbosity",
            "web_search_options",
        ),
        UNSUPPORTED,
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
        UNSUPPORTED,
    ),
    renamed={"reasoning": "reasoning_content"},
    developer="system",
)
NULL = Raw(b"null")
EMPTY = (b"null", b'""', b"[]")
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_document = msgspec.json.Decoder(Part).decode
_encode = msgspec.json.Encoder().encode


def adapt(request: ChatRequest) -> Adapted:
    adapted, changes = apply_parameter_rules(request, LIMITS)
    adapted, told = apply_message_rules(adapted, MESSAGES)
    parameters = dict(adapted.parameters)
    more = flatten_reasoning(parameters)
    adapted = replace(adapted, parameters=parameters, messages=_told(adapted.messages))
    return adapted, (*changes, *told, *more)


# --- Messages -------------------------------------------------------------------------------------


def _told(raw: Raw) -> Raw:
    """Reasoning goes back as a ``thinking`` part before the text, documents as ``document_url``
    (docs.mistral.ai, Reasoning and Document QnA). All else keeps its own text."""
    text = bytes(raw)
    if b'"reasoning_content"' not in text and b'"file"' not in text:
        return raw
    return Raw(_encode([_message(message) for message in _messages(text)]))


def _message(message: dict[str, Raw]) -> dict[str, Raw]:
    told = {name: value for name, value in message.items() if name != "reasoning_content"}
    content = message.get("content", NULL)
    parts = _parts(content)
    if parts is not None:
        parts = [_part(part) for part in parts]
        told["content"] = Raw(_encode(parts))
    thought = msgspec.json.decode(message.get("reasoning_content", NULL))
    if thought:
        told["content"] = Raw(_encode([_thinking(thought), *(parts or _text(content))]))
    return told


def _thinking(thought: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}


def _parts(content: Raw) -> list[Raw] | None:
    return _list(content) if bytes(content)[:1] == b"[" else None


def _text(content: Raw) -> list[Any]:
    return [] if bytes(content) in EMPTY else [{"type": "text", "text": content}]


def _part(raw: Raw) -> Any:
    if b'"file"' not in bytes(raw):
        return raw
    part = _document(raw)
    file = part.file
    if part.type != "file" or file is None:
        return raw
    if file.file_id:
        return {"type": "file", "file_id": file.file_id}
    shown = {"type": "document_url", "document_url": file.file_data}
    return {**shown, "document_name": file.filename} if file.filename else shown


# --- Embeddings -----------------------------------------------------------------------------------


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """``dimensions`` is ``output_dimension`` there; of a ``user`` it knows nothing."""
    names = {"dimensions": "output_dimension"}
    parameters = {
        names.get(name, name): raw for name, raw in request.parameters.items() if name != "user"
    }
    return openai_embeddings.encode_embeddings(replace(request, parameters=parameters), target)


decode_response, decode_event = transformed_decoders(ADD_AUDIO_TOKENS)

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
    summarize=None,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=openai_embeddings.decode_embeddings,
    price_id="mistral",
    options={},
    capabilities={
        "stream": "native",
        "tools": "native",
        "tool_choice": "native",
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
