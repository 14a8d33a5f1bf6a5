"""OpenAI's chat request as a body of Google's generateContent (its reference: ai.google.dev/api).

What is not known here goes to the top of the body as it is, or into ``generationConfig`` where its
name belongs there: ``safetySettings``, ``cachedContent``, ``mediaResolution`` and the like work.
``generationConfig`` and ``toolConfig``, given whole, win over what is translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.chat_messages import (
    FunctionSpec,
    Tool,
    limit_of,
    messages_of,
    response_format_of,
    rest_of,
    stops_of,
    value_of,
)
from headway.providers.gemini.messages import Contents
from headway.providers.gemini.models import checks_signatures, sees_tool_media, takes_json_schema
from headway.types import ChatRequest

DIRECT: Mapping[str, str] = {
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
"""Values that need no translation."""
CONFIG = frozenset(
    {
        "audioTimestamp",
        "candidateCount",
        "enableAffectiveDialog",
        "enableEnhancedCivicAnswers",
        "imageConfig",
        "maxOutputTokens",
        "mediaResolution",
        "modelSelectionConfig",
        "responseJsonSchema",
        "responseLogprobs",
        "responseMimeType",
        "responseModalities",
        "responseSchema",
        "routingConfig",
        "speechConfig",
        "stopSequences",
        "thinkingConfig",
        "topK",
        "topP",
    }
)
"""The API's own names that belong into generationConfig."""
TRANSLATED = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "response_format",
        "modalities",
        "audio",
        "tools",
        "tool_choice",
    }
)
MERGED = frozenset({"generationConfig", "toolConfig"})
KNOWN = TRANSLATED | MERGED | CONFIG | DIRECT.keys()
MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

_encode = msgspec.json.Encoder().encode
_raws = msgspec.json.Decoder(list[Raw]).decode
_tool = msgspec.json.Decoder(Tool).decode
_kind = msgspec.json.Decoder(dict[str, Any]).decode


def encode_body(request: ChatRequest, *, has_ids: bool) -> bytes:
    """``has_ids``: the API knows ids of function calls; the v1 of Vertex AI does not."""
    contents = Contents(has_ids, sees_tool_media(request.model), checks_signatures(request.model))
    contents.add(messages_of(request))
    body: dict[str, Any] = {"contents": contents.contents}
    if contents.system:
        body["systemInstruction"] = {"parts": contents.system}
    if tools := _tools(request):
        body["tools"] = tools
    if config := _tool_config(request):
        body["toolConfig"] = config
    if config := _config(request):
        body["generationConfig"] = config
    body.update(rest_of(request, KNOWN))
    return _encode(body)


def _config(request: ChatRequest) -> dict[str, Any]:
    given = request.parameters
    config: dict[str, Any] = {name: given[ours] for ours, name in DIRECT.items() if ours in given}
    if (limit := limit_of(request)) is not None:
        config["maxOutputTokens"] = limit
    if stops := stops_of(request):
        config["stopSequences"] = stops
    config.update(_format(request))
    config.update(_output(request))
    config.update({name: raw for name, raw in given.items() if name in CONFIG})
    config.update(value_of(request, "generationConfig") or {})
    return config


def _format(request: ChatRequest) -> dict[str, Any]:
    """The schema's ``name`` and ``strict`` have no word there: it is always followed."""
    wanted = response_format_of(request)
    if wanted is None or wanted.type == "text":
        return {}
    fields: dict[str, Any] = {"responseMimeType": "application/json"}
    if wanted.json_schema is not None and wanted.json_schema.schema is not None:
        field = "responseJsonSchema" if takes_json_schema(request.model) else "responseSchema"
        fields[field] = wanted.json_schema.schema
    return fields


def _output(request: ChatRequest) -> dict[str, Any]:
    """What the model may answer with, and in which voice (ai.google.dev/gemini-api/docs/speech)."""
    fields: dict[str, Any] = {}
    modalities = value_of(request, "modalities")
    if modalities:
        fields["responseModalities"] = [str(modality).upper() for modality in modalities]
    voice = (value_of(request, "audio") or {}).get("voice")
    if voice:
        prebuilt = {"prebuiltVoiceConfig": {"voiceName": voice}}
        fields["speechConfig"] = {"voiceConfig": prebuilt}
    return fields


def _tools(request: ChatRequest) -> list[Any]:
    """Tools of Google's own go as they are; all functions stand in one tool."""
    field = "parametersJsonSchema" if takes_json_schema(request.model) else "parameters"
    tools: list[Any] = []
    functions: list[dict[str, Any]] = []
    for raw in _raws(request.parameters.get("tools", Raw(b"[]"))):
        if "function" not in _kind(raw):
            tools.append(raw)
            continue
        spec = _tool(raw).function
        if spec is not None:
            if not functions:
                tools.append({"functionDeclarations": functions})
            functions.append(_declaration(spec, field))
    return tools


def _declaration(spec: FunctionSpec, field: str) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": spec.name}
    if spec.description is not None:
        declaration["description"] = spec.description
    if spec.parameters is not None:
        declaration[field] = spec.parameters
    return declaration


def _tool_config(request: ChatRequest) -> dict[str, Any]:
    calling = _calling(value_of(request, "tool_choice"))
    config: dict[str, Any] = {"functionCallingConfig": calling} if calling else {}
    config.update(value_of(request, "toolConfig") or {})
    return config


def _calling(choice: Any) -> dict[str, Any] | None:
    """A choice of tools, one or several, is a list of allowed names. Where the model need not call
    any, that list wants the mode VALIDATED (ai.google.dev/gemini-api/docs/function-calling)."""
    if choice is None:
        return None
    if isinstance(choice, str):
        return {"mode": MODES.get(choice, choice.upper())}
    if choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        names = [tool["function"]["name"] for tool in allowed.get("tools", ())]
        mode = "ANY" if allowed.get("mode") == "required" else "VALIDATED"
        return {"mode": mode, "allowedFunctionNames": names}
    return {"mode": "ANY", "allowedFunctionNames": [choice["function"]["name"]]}
