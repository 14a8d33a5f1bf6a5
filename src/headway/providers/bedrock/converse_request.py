"""The body of a Converse request, which has one format for all models
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).

The request must have been through ``bedrock.parameters.adapt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.bedrock.messages import cache_point, convert_messages
from headway.types import ChatRequest

Fields = dict[str, Any]
Parameters = Mapping[str, Raw]

INFERENCE_FIELDS = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
"""Parameters to their names in ``inferenceConfig``."""
TOP_LEVEL_FIELDS = (
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
)
"""Converse's own parameters, which are sent unchanged at the top level."""
MERGED_FIELDS = (
    "additionalModelRequestFields",
    "inferenceConfig",
    "output_config",
    "outputConfig",
    "system",
    "tool_choice",
    "toolConfig",
    "tools",
)
"""Parameters that are merged with others."""
KNOWN_FIELDS = frozenset({*INFERENCE_FIELDS, *TOP_LEVEL_FIELDS, *MERGED_FIELDS})
CHOICES = ("auto", "any", "tool")

_decode = msgspec.json.Decoder().decode


def converse_body(request: ChatRequest, betas: list[str]) -> Fields:
    """``betas`` are names of Anthropic's beta features. Unknown parameters are the model's own, for
    which Converse has ``additionalModelRequestFields``. Raises msgspec.ValidationError for invalid
    messages, and RequestError for content that Bedrock does not take."""
    given = request.parameters
    system, messages = convert_messages(request)
    additional: Fields = {name: raw for name, raw in given.items() if name not in KNOWN_FIELDS}
    if betas:
        additional["anthropic_beta"] = betas
    inference = {new: given[name] for name, new in INFERENCE_FIELDS.items() if name in given}
    # Both of these may add to the additional fields.
    tools = _tool_config(given, additional)
    output = _output_config(given, additional)
    fields: Fields = {
        "messages": messages,
        "system": [*parameter(given, "system", ()), *system],
        "inferenceConfig": {**inference, **parameter(given, "inferenceConfig", {})},
        "toolConfig": {**tools, **parameter(given, "toolConfig", {})},
        "outputConfig": {**output, **parameter(given, "outputConfig", {})},
    }
    name = "additionalModelRequestFields"
    fields[name] = {**additional, **parameter(given, name, {})}
    kept = {name: value for name, value in fields.items() if value or name == "messages"}
    return {**kept, **{name: given[name] for name in TOP_LEVEL_FIELDS if name in given}}


def parameter(given: Parameters, name: str, default: Any) -> Any:
    """The decoded value, or ``default`` where it is not given."""
    raw = given.get(name)
    return default if raw is None else _decode(raw)


def _output_config(given: Parameters, additional: Fields) -> Fields:
    """Of Anthropic's ``output_config``, Converse has a field for the effort."""
    config = parameter(given, "output_config", {})
    rest = {name: value for name, value in config.items() if name != "effort"}
    if rest:
        additional["output_config"] = rest
    return {"effort": config["effort"]} if "effort" in config else {}


def _tool_config(given: Parameters, additional: Fields) -> Fields:
    """Anthropic's own tools (computer_20250124, ...) are additional fields."""
    specs: list[Fields] = []
    native: list[Fields] = []
    for tool in parameter(given, "tools", ()):
        if "input_schema" in tool:
            specs += _tool_spec(tool)
        else:
            (native if "type" in tool else specs).append(tool)
    if native:
        additional["tools"] = native
    if not specs:
        return {}
    choice = _tool_choice(parameter(given, "tool_choice", {}), additional)
    return {"tools": specs, **({"toolChoice": choice} if choice else {})}


def _tool_spec(tool: Fields) -> list[Fields]:
    spec = {"name": tool["name"], "inputSchema": {"json": tool["input_schema"]}}
    if tool.get("description"):  # Bedrock refuses an empty one
        spec["description"] = tool["description"]
    if tool.get("strict"):
        spec["strict"] = True
    cache_control = tool.get("cache_control")
    return [{"toolSpec": spec}, *([cache_point(cache_control)] if cache_control else [])]


def _tool_choice(choice: Fields, additional: Fields) -> Fields | None:
    """Converse has no field for Anthropic's ``disable_parallel_tool_use``, which becomes an
    additional field. Bedrock refuses a choice in both places, unless the additional one has that
    field only (github.com/BerriAI/litellm/issues/36536)."""
    kind = choice.get("type")
    if choice.get("disable_parallel_tool_use"):
        only_auto = {} if kind in ("any", "tool") else {"type": "auto"}
        additional["tool_choice"] = {**only_auto, "disable_parallel_tool_use": True}
        if only_auto:
            return None
    if kind not in CHOICES:
        return None
    return {kind: {"name": choice["name"]} if kind == "tool" else {}}
