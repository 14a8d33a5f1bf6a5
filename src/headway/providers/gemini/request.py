"""OpenAI's chat request as the body of Google's generateContent (ai.google.dev/api).

An unknown parameter goes to the top level of the body, or into ``generationConfig`` if it is known
to belong there: ``safetySettings``, ``cachedContent``, ``mediaResolution`` and the like work.
``generationConfig`` and ``toolConfig`` of the client's own win over converted parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.providers.chat_messages import (
    max_tokens_of,
    messages_of,
    other_parameters,
    response_format_of,
    stop_sequences_of,
    value_of,
)
from headway.providers.gemini.messages import MessageConverter
from headway.providers.gemini.models import supports_json_schema
from headway.providers.gemini.tools import encode_tool_config, encode_tools
from headway.types import ChatRequest

RENAMED: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "seed": "seed",
}
"""OpenAI's name to Google's in generationConfig, for values that need no conversion."""
GENERATION_CONFIG = frozenset(
    {
        "audioTimestamp", "candidateCount", "enableAffectiveDialog", "enableEnhancedCivicAnswers",
        "imageConfig", "maxOutputTokens", "mediaResolution", "modelSelectionConfig",
        "responseJsonSchema", "responseLogprobs", "responseMimeType", "responseModalities",
        "responseSchema", "routingConfig", "speechConfig", "stopSequences", "thinkingConfig",
        "topK", "topP",
    }
)  # fmt: skip
"""Google's own parameters that belong in generationConfig."""
CONVERTED = frozenset(
    {
        "max_tokens", "max_completion_tokens", "stop", "response_format", "modalities", "audio",
        "tools", "tool_choice",
    }
)  # fmt: skip
MERGED = frozenset({"generationConfig", "toolConfig"})
KNOWN = CONVERTED | MERGED | GENERATION_CONFIG | RENAMED.keys()

Fields = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def encode_body(request: ChatRequest, *, has_call_ids: bool) -> bytes:
    """``has_call_ids``: the API knows ids of function calls; v1 of Vertex AI does not."""
    converter = MessageConverter(request.model, has_call_ids)
    converter.add(messages_of(request))
    body: Fields = {"contents": converter.contents}
    if converter.system:
        body["systemInstruction"] = {"parts": converter.system}
    if tools := encode_tools(request):
        body["tools"] = tools
    if tool_config := encode_tool_config(request):
        body["toolConfig"] = tool_config
    if generation_config := _generation_config(request):
        body["generationConfig"] = generation_config
    body.update(other_parameters(request, KNOWN))
    return _encode(body)


def _generation_config(request: ChatRequest) -> Fields:
    given = request.parameters
    config: Fields = {name: given[openai] for openai, name in RENAMED.items() if openai in given}
    if (limit := max_tokens_of(request)) is not None:
        config["maxOutputTokens"] = limit
    if stops := stop_sequences_of(request):
        config["stopSequences"] = stops
    config.update(_response_format(request))
    config.update(_modalities(request))
    config.update({name: raw for name, raw in given.items() if name in GENERATION_CONFIG})
    config.update(value_of(request, "generationConfig") or {})
    return config


def _response_format(request: ChatRequest) -> Fields:
    """Google has no ``name`` and no ``strict``: the model always follows the schema."""
    wanted = response_format_of(request)
    if wanted is None or wanted.type == "text":
        return {}
    fields: Fields = {"responseMimeType": "application/json"}
    if wanted.json_schema is not None and wanted.json_schema.schema is not None:
        field = "responseJsonSchema" if supports_json_schema(request.model) else "responseSchema"
        fields[field] = wanted.json_schema.schema
    return fields


def _modalities(request: ChatRequest) -> Fields:
    """The modalities of the output, and the voice (ai.google.dev/gemini-api/docs/speech)."""
    fields: Fields = {}
    modalities = value_of(request, "modalities")
    if modalities:
        fields["responseModalities"] = [str(modality).upper() for modality in modalities]
    voice = (value_of(request, "audio") or {}).get("voice")
    if voice:
        prebuilt = {"prebuiltVoiceConfig": {"voiceName": voice}}
        fields["speechConfig"] = {"voiceConfig": prebuilt}
    return fields
