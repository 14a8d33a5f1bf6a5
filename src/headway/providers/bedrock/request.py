"""The bodies of Bedrock's two APIs, out of a request that ``bedrock_limits.adapt`` has been over.

Converse is one format for all models (docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_Converse.html). Invoke is each vendor's own, here Anthropic's: what Converse has fields
for beside the model's own parameters are headers there (API_runtime_InvokeModel.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.anthropic import request as anthropic_requests
from headway.providers.anthropic.models import model
from headway.providers.anthropic.parameters import DEFAULT_LIMIT
from headway.providers.bedrock.messages import cache_point, conversation
from headway.types import ChatRequest

Fields = dict[str, Any]
Given = Mapping[str, Raw]

VERSION = "bedrock-2023-05-31"
"""Of Anthropic's Messages on Bedrock."""
INFERENCE = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
"""Common parameters, and what Converse calls them in ``inferenceConfig``."""
OWN = (
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
)
"""Converse's own fields, which stand at its top level as they are given."""
MADE = (
    "additionalModelRequestFields",
    "inferenceConfig",
    "output_config",
    "outputConfig",
    "system",
    "tool_choice",
    "toolConfig",
    "tools",
)
"""What is put together from more than one place."""
CHOICES = ("auto", "any", "tool")
HEADERS = (
    ("serviceTier", "type", "x-amzn-bedrock-service-tier"),
    ("performanceConfig", "latency", "x-amzn-bedrock-performanceconfig-latency"),
    ("guardrailConfig", "guardrailIdentifier", "x-amzn-bedrock-guardrailidentifier"),
    ("guardrailConfig", "guardrailVersion", "x-amzn-bedrock-guardrailversion"),
    ("guardrailConfig", "trace", "x-amzn-bedrock-trace"),
)
"""Field of Converse, its member, and the header that it is for invoke."""

_encode = msgspec.json.Encoder().encode
_any = msgspec.json.Decoder().decode


# --- Converse -------------------------------------------------------------------------------------


def converse(request: ChatRequest, betas: list[str]) -> Fields:
    """Raises msgspec.ValidationError for messages that are none, and RequestError for content that
    Bedrock cannot be given. Parameters that nobody knows are the model's own, and stand where
    Bedrock has those: in ``additionalModelRequestFields``."""
    given = request.parameters
    system, messages = conversation(request)
    known = {*INFERENCE, *OWN, *MADE}
    more: Fields = {name: raw for name, raw in given.items() if name not in known}
    if betas:
        more["anthropic_beta"] = betas
    fields: Fields = {
        "messages": messages,
        "system": [*_value(given, "system", ()), *system],
        "inferenceConfig": {
            **{wire: given[name] for name, wire in INFERENCE.items() if name in given},
            **_value(given, "inferenceConfig", {}),
        },
        "toolConfig": {**_tool_config(given, more), **_value(given, "toolConfig", {})},
        "outputConfig": {**_output(given, more), **_value(given, "outputConfig", {})},
    }
    fields["additionalModelRequestFields"] = {
        **more,
        **_value(given, "additionalModelRequestFields", {}),
    }
    kept = {name: value for name, value in fields.items() if value or name == "messages"}
    return {**kept, **{name: given[name] for name in OWN if name in given}}


def _value(given: Given, name: str, default: Any) -> Any:
    raw = given.get(name)
    return default if raw is None else _any(raw)


def _output(given: Given, more: Fields) -> Fields:
    """Anthropic's ``output_config``: its effort has a field of Converse's own."""
    config = _value(given, "output_config", {})
    rest = {name: value for name, value in config.items() if name != "effort"}
    if rest:
        more["output_config"] = rest
    return {"effort": config["effort"]} if "effort" in config else {}


def _tool_config(given: Given, more: Fields) -> Fields:
    """Anthropic's own tools (computer_20250124, ...) are the model's additional fields."""
    listed: list[Fields] = []
    native: list[Fields] = []
    for tool in _value(given, "tools", ()):
        if "input_schema" in tool:
            listed += _tool(tool)
        else:
            (native if "type" in tool else listed).append(tool)
    if native:
        more["tools"] = native
    if not listed:
        return {}
    choice = _tool_choice(_value(given, "tool_choice", {}), more)
    return {"tools": listed, **({"toolChoice": choice} if choice else {})}


def _tool(tool: Fields) -> list[Fields]:
    spec = {"name": tool["name"], "inputSchema": {"json": tool["input_schema"]}}
    if tool.get("description"):  # an empty one is refused
        spec["description"] = tool["description"]
    if tool.get("strict"):
        spec["strict"] = True
    mark = tool.get("cache_control")
    return [{"toolSpec": spec}, *([cache_point(mark)] if mark else [])]


def _tool_choice(choice: Fields, more: Fields) -> Fields | None:
    """One call at a time is a wish of Anthropic's that Converse has no field for. A choice in both
    places is refused, but for the wish alone (github.com/BerriAI/litellm/issues/36536)."""
    kind = choice.get("type")
    if choice.get("disable_parallel_tool_use"):
        alone = {} if kind in ("any", "tool") else {"type": "auto"}
        more["tool_choice"] = {**alone, "disable_parallel_tool_use": True}
        if alone:
            return None
    if kind not in CHOICES:
        return None
    return {kind: {"name": choice["name"]} if kind == "tool" else {}}


# --- Invoke ---------------------------------------------------------------------------------------


def invoke(request: ChatRequest, betas: list[str]) -> tuple[Fields, dict[str, str]]:
    """The body in Anthropic's format, and the headers."""
    given = dict(request.parameters)
    headers = _headers(given)
    output = _value(given, "outputConfig", {})
    for name in (*OWN, "outputConfig", "additionalModelRequestFields"):
        given.pop(name, None)
    fields: Fields = {"anthropic_version": VERSION}
    if betas:
        fields["anthropic_beta"] = betas
    fields.update(anthropic_requests.body(replace(request, parameters=given)))
    budget = _value(given, "thinking", {}).get("budget_tokens") or 0
    fields.setdefault("max_tokens", min(model(request.model).limit, DEFAULT_LIMIT + budget))
    if "textFormat" in output:
        text_format = _anthropic_format(output["textFormat"])
        fields["output_config"] = {**_value(given, "output_config", {}), "format": text_format}
    fields.update(_value(request.parameters, "additionalModelRequestFields", {}))
    return fields, headers


def _anthropic_format(given: Fields) -> Fields:
    return {"type": "json_schema", "schema": Raw(given["structure"]["jsonSchema"]["schema"])}


def _headers(given: Given) -> dict[str, str]:
    headers = {}
    for field, member, name in HEADERS:
        value = _value(given, field, {}).get(member)
        if value is not None:
            headers[name] = str(value).upper() if member == "trace" else str(value)
    if "requestMetadata" in given:
        headers["x-amzn-bedrock-request-metadata"] = bytes(given["requestMetadata"]).decode()
    return headers
