"""A request of Google's generateContent (ai.google.dev/api/generate-content) in OpenAI's chat
format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ConvertedRequest
from headway.dialects.gemini.contents import ONLY_GOOGLE, ContentReader
from headway.dialects.gemini.generation_config import ConfigReader
from headway.dialects.gemini.names import Fields, camel_case
from headway.dialects.gemini.tools import convert_tool_config, convert_tools
from headway.errors import RequestError
from headway.types import ChatRequest, Transformation

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What the converters raise for a request that is not in Google's format."""
READ = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"})
SERVICE_TIERS: Mapping[str, str] = {"STANDARD": "default", "FLEX": "flex", "PRIORITY": "priority"}
PASSED_ON = frozenset({"store"})
"""Fields that OpenAI's format has, too."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_fields(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    """The fields of a body by their names in camel case, without those that are null."""
    return {camel_case(name): raw for name, raw in fields.items() if bytes(raw) != b"null"}


def convert(request: ChatRequest, fields: Mapping[str, Raw]) -> ConvertedRequest:
    """``fields`` are those of the body. Raises RequestError for one that is not in Google's format,
    and for content that another provider cannot have."""
    given = read_fields(fields)
    if "cachedContent" in given:
        message = "`cachedContent` is kept at Google: no other provider can read it."
        raise RequestError(message, param="cachedContent")
    try:
        return _convert(request, given)
    except MALFORMED as exc:
        raise RequestError(f"This is no request in Google's format: {exc}.") from exc


def _convert(request: ChatRequest, given: Mapping[str, Raw]) -> ConvertedRequest:
    values: Fields = {name: _decode(raw) for name, raw in given.items() if name in READ}
    reader, config = ContentReader(), ConfigReader()
    reader.add_system(values.get("systemInstruction"))
    reader.add(values.get("contents"))
    config.read(values.get("generationConfig"))
    tools, lost_tools = convert_tools(values.get("tools"))
    choice, lost_choice = convert_tool_config(values.get("toolConfig"))
    parameters = config.parameters
    if tools:
        parameters["tools"] = tools
        parameters.update({} if choice is None else {"tool_choice": choice})
    lost = [*reader.transformations, *config.lost, *lost_tools, *lost_choice]
    lost += _read_further(given, parameters)
    converted = replace(
        request,
        messages=_raw(reader.messages),
        parameters={name: _raw(value) for name, value in parameters.items()},
        native=None,
    )
    return converted, tuple(dict.fromkeys(lost))


def _read_further(given: Mapping[str, Raw], parameters: Fields) -> list[Transformation]:
    """Put the other fields of the body into ``parameters``; returns what is lost."""
    lost = []
    for name, raw in given.items():
        if name in PASSED_ON:
            parameters[name] = raw
        elif name == "serviceTier":
            tier = SERVICE_TIERS.get(str(_decode(raw)).upper().removeprefix("SERVICE_TIER_"))
            parameters.update({} if tier is None else {"service_tier": tier})
        elif name not in READ:
            lost.append(Transformation("dropped", name, ONLY_GOOGLE))
    return lost


def _raw(value: Any) -> Raw:
    return Raw(_encode(value))
