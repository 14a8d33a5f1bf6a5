"""The body and headers of an invoke request for Claude, whose format is Anthropic's
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html).

Invoke has headers where Converse has fields next to the model's own parameters. The request must
have been through ``bedrock.parameters.adapt``.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from headway.providers.anthropic.models import model_rules
from headway.providers.anthropic.parameters import DEFAULT_MAX_TOKENS
from headway.providers.anthropic.request import request_body
from headway.providers.bedrock.converse_request import TOP_LEVEL_FIELDS, parameter
from headway.types import ChatRequest

Fields = dict[str, Any]

ANTHROPIC_VERSION = "bedrock-2023-05-31"
CONVERSE_FIELDS = (*TOP_LEVEL_FIELDS, "outputConfig", "additionalModelRequestFields")
HEADERS = (
    ("serviceTier", "type", "x-amzn-bedrock-service-tier"),
    ("performanceConfig", "latency", "x-amzn-bedrock-performanceconfig-latency"),
    ("guardrailConfig", "guardrailIdentifier", "x-amzn-bedrock-guardrailidentifier"),
    ("guardrailConfig", "guardrailVersion", "x-amzn-bedrock-guardrailversion"),
    ("guardrailConfig", "trace", "x-amzn-bedrock-trace"),
)
"""A field of Converse, its member, and invoke's header for it."""


def invoke_body(request: ChatRequest, betas: list[str]) -> Fields:
    """Raises what ``anthropic.request.request_body`` raises."""
    given = request.parameters
    kept = {name: raw for name, raw in given.items() if name not in CONVERSE_FIELDS}
    fields: Fields = {"anthropic_version": ANTHROPIC_VERSION}
    if betas:
        fields["anthropic_beta"] = betas
    fields.update(request_body(replace(request, parameters=kept)))
    budget = parameter(given, "thinking", {}).get("budget_tokens") or 0
    limit = model_rules(request.model).max_output_tokens
    fields.setdefault("max_tokens", min(limit, DEFAULT_MAX_TOKENS + budget))
    output = parameter(given, "outputConfig", {})
    if "textFormat" in output:
        config = parameter(given, "output_config", {})
        fields["output_config"] = {**config, "format": _anthropic_format(output["textFormat"])}
    fields.update(parameter(given, "additionalModelRequestFields", {}))
    return fields


def invoke_headers(request: ChatRequest) -> tuple[tuple[str, str], ...]:
    given = request.parameters
    headers = []
    for field, member, name in HEADERS:
        value = parameter(given, field, {}).get(member)
        if value is not None:
            headers.append((name, str(value).upper() if member == "trace" else str(value)))
    if "requestMetadata" in given:
        metadata = bytes(given["requestMetadata"]).decode()
        headers.append(("x-amzn-bedrock-request-metadata", metadata))
    return tuple(headers)


def _anthropic_format(text_format: Fields) -> Fields:
    schema = text_format["structure"]["jsonSchema"]["schema"]
    return {"type": "json_schema", "schema": Raw(schema)}
