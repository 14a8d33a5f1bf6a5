"""Mistral's chat completions (docs.mistral.ai/api, Chat): OpenAI's wire format with other names.

Wire facts, read off recordings: reasoning comes as ``thinking`` parts of a list of contents, a tool
call may lack its index, usage is in the chunk with the finish reason, ``p`` pads chunks, and audio
tokens are counted in the total only. An unknown field is rejected with 422.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.call_argument_rules import json_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.capabilities import native
from headway.providers.chat_messages import Part
from headway.providers.media_rules import image_rules
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import provider as openai
from headway.providers.openai.completions import Completions, with_completions
from headway.providers.openai_compatible.message_rules import MessageRules, apply_message_rules
from headway.providers.openai_compatible.provider import transformed_decoders
from headway.providers.openai_compatible.request_rules import flatten_reasoning
from headway.providers.openai_compatible.request_transforms import encode_without_stream_options
from headway.providers.openai_compatible.usage import ADD_AUDIO_TOKENS
from headway.providers.operations import operations
from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules
from headway.providers.role_rules import (
    START_MESSAGE,
    STARTED,
    answer_tools_first,
    last_system_as_user,
    move_system_first,
)
from headway.providers.text_rules import drop_empty_answers, drop_empty_stops, last_assistant
from headway.providers.transformations import emulated
from headway.providers.wire_formats import MISTRAL
from headway.providers.wire_rules import mended, override, with_rules
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target

UNSUPPORTED = "unsupported by Mistral"
PARAMETER_RULES = ParameterRules(
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
MESSAGE_RULES = MessageRules(
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
EMPTY_VALUES = (b"null", b'""', b"[]")
_decode_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_part = msgspec.json.Decoder(Part).decode
_encode = msgspec.json.Encoder().encode


def adapt(request: ChatRequest) -> Adapted:
    adapted, of_parameters = apply_parameter_rules(request, PARAMETER_RULES)
    adapted, of_messages = apply_message_rules(adapted, MESSAGE_RULES)
    parameters = dict(adapted.parameters)
    of_reasoning = flatten_reasoning(parameters)
    messages = _convert_messages(adapted.messages)
    adapted = replace(adapted, parameters=parameters, messages=messages)
    return adapted, (*of_parameters, *of_messages, *of_reasoning)


# --- Messages -------------------------------------------------------------------------------------


def _convert_messages(raw: Raw) -> Raw:
    """Reasoning becomes a ``thinking`` part before the text, a file a ``document_url``
    (docs.mistral.ai, Reasoning and Document QnA). All other values keep their bytes."""
    text = bytes(raw)
    if b'"reasoning_content"' not in text and b'"file"' not in text:
        return raw
    return Raw(_encode([_convert_message(message) for message in _decode_messages(text)]))


def _convert_message(message: dict[str, Raw]) -> dict[str, Raw]:
    converted = {name: value for name, value in message.items() if name != "reasoning_content"}
    content = message.get("content", NULL)
    parts = None
    if bytes(content)[:1] == b"[":
        parts = [_convert_part(part) for part in _decode_list(content)]
        converted["content"] = Raw(_encode(parts))
    reasoning = msgspec.json.decode(message.get("reasoning_content", NULL))
    if reasoning:
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": reasoning}]}
        converted["content"] = Raw(_encode([thinking, *(parts or _text_parts(content))]))
    return converted


def _text_parts(content: Raw) -> list[Any]:
    return [] if bytes(content) in EMPTY_VALUES else [{"type": "text", "text": content}]


def _convert_part(raw: Raw) -> Any:
    if b'"file"' not in bytes(raw):
        return raw
    part = _decode_part(raw)
    file = part.file
    if part.type != "file" or file is None:
        return raw
    if file.file_id:
        return {"type": "file", "file_id": file.file_id}
    document = {"type": "document_url", "document_url": file.file_data}
    return {**document, "document_name": file.filename} if file.filename else document


# --- Embeddings -----------------------------------------------------------------------------------


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    """Mistral's name of ``dimensions`` is ``output_dimension``; it does not know ``user``."""
    names = {"dimensions": "output_dimension"}
    parameters = {
        names.get(name, name): raw for name, raw in request.parameters.items() if name != "user"
    }
    return openai_embeddings.encode_embeddings(replace(request, parameters=parameters), target)


# --- Wire rules -----------------------------------------------------------------------------------


def mark_prefix(request: ChatRequest) -> Adapted:
    """A last message of the assistant is an error without ``prefix``, which asks to continue it,
    and as the only message."""
    if b'"assistant"' not in bytes(request.messages):
        return request, ()
    return edit_messages(request, _with_prefix)


def _with_prefix(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    place = last_assistant(messages)
    if place is None or messages[place].get("prefix"):
        return None
    noted[emulated("messages", "the continued answer, as its `prefix`")] = None
    marked = [*messages[:place], {**messages[place], "prefix": True}, *messages[place + 1 :]]
    if len(messages) > 1:
        return marked
    noted[STARTED] = None
    return [START_MESSAGE, *marked]


PREFIX = "https://docs.mistral.ai/guides/prefix"
ORDER = "https://github.com/aaif-goose/goose/issues/5998"
STRUCTURE = (
    "https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/"
    "validator.py"
)
IMAGES = "https://docs.mistral.ai/capabilities/vision"
CALL_IDS = IdForm(
    source="https://github.com/anomalyco/opencode/issues/1680",
    pattern="[a-zA-Z0-9]{9}",
    made_length=9,
    made_prefix="",
    unique_source="https://github.com/NousResearch/hermes-agent/pull/11722",
)
ARGUMENTS = "https://github.com/mistralai/mistral-vibe/pull/615"
RULES = (
    *json_argument_rules(ARGUMENTS),
    *call_id_rules(CALL_IDS),
    *call_result_rules(CALL_IDS.unique_source),
    *image_rules(IMAGES, has_documents=True),
    mended("system_only", last_system_as_user, "https://docs.mistral.ai/api"),
    mended("empty_answer", drop_empty_answers, STRUCTURE),
    mended("system_later", move_system_first, STRUCTURE),
    mended("user_after_tool", answer_tools_first, ORDER),
    mended("prefill", mark_prefix, PREFIX),
    mended("trailing_whitespace", mark_prefix, PREFIX, note="as the prefix, with its white space"),
    mended("empty_stop", drop_empty_stops, "https://docs.mistral.ai/api"),
)

decode_response, decode_event = transformed_decoders(ADD_AUDIO_TOKENS)

CHAT = replace(
    openai.CHAT,
    **MISTRAL.facts,
    wire="mistral_chat",
    has_custom_tools=False,
    encode_request=encode_without_stream_options,
    decode_response=decode_response,
    decode_event=decode_event,
    summarize=None,
    adapt=with_rules(RULES, adapt),
    wire_rules=override(openai.CHAT.wire_rules, *RULES),
    encode_embeddings=encode_embeddings,
    decode_embeddings=openai_embeddings.decode_embeddings,
    # Its speech comes as base64 in JSON, which OpenAI's clients do not read.
    operations=operations("moderations", "audio/transcriptions"),
    price_id="mistral",
    options={},
    capabilities={
        **native("stream", "tools", "tool_choice", "images", "json_object", "json_schema"),
        **native("embeddings"),
        "documents": "native: sent as `document_url`",
        "audio": "native: Voxtral models",
        "reasoning": "native: an effort, no budget",
        "logprobs": "partial: few models",
    },
)
# docs.mistral.ai/api, Fill in the Middle: its responses are chat completions. Any other field than
# these is rejected.
FIM = Completions(
    path="/fim/completions",
    models="codestral",
    unsupported=(
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "n",
        "presence_penalty",
        "user",
    ),
    renamed={"seed": "random_seed"},
    has_one_prompt=True,
    has_stream_options=False,
)
PROVIDER = with_completions(CHAT, FIM)
