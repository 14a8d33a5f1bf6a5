"""Convert OpenAI's parameters to Bedrock's, by tables and by the family of the model.

After ``adapt`` the messages of a request are still OpenAI's. Its parameters have Anthropic's names
where Anthropic has one (max_tokens, stop_sequences, tools, tool_choice, thinking, ...), whatever
the family, so that a request for Claude can go to either of Bedrock's APIs; parameters that only
Bedrock has (serviceTier, requestMetadata, outputConfig, ...) have Converse's name and shape.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from headway.providers.anthropic import parameters as anthropic
from headway.providers.anthropic.request_draft import AnthropicDraft, convert_draft
from headway.providers.anthropic.response_format import convert_response_format
from headway.providers.anthropic.tools import convert_tools
from headway.providers.base import Adapted
from headway.providers.bedrock.models import Family, family_of, has_structured_outputs
from headway.providers.bedrock.reasoning import add_model_fields, convert_reasoning
from headway.providers.bedrock.reasoning_blocks import has_signed_reasoning
from headway.providers.bedrock.tools import adjust_tools
from headway.providers.chat_messages import JsonSchema
from headway.providers.json_schema import to_strict_schema
from headway.providers.message_scan import unsupported_content
from headway.providers.wire_formats import BEDROCK
from headway.types import ChatRequest

UNSUPPORTED = frozenset(
    {
        "audio", "logit_bias", "logprobs", "modalities", "n", "prediction", "prompt_cache_key",
        "prompt_cache_retention", "store", "top_logprobs", "verbosity", "web_search_options",
    }
)  # fmt: skip
OPENAI_PARAMETERS = frozenset(
    {"frequency_penalty", "min_p", "presence_penalty", "repetition_penalty", "seed"}
)
"""Supported by some families only."""
SERVICE_TIERS = {"auto": None, "default": "default", "standard_only": "default",
                 "priority": "priority", "flex": "flex", "reserved": "reserved"}  # fmt: skip
"""OpenAI's service tiers -> Bedrock's; None is the tier without a parameter."""
LARGE_BUDGET = 4096
"""Claude's first generations have no larger default of ``maxTokens`` on Bedrock."""

_encode = msgspec.json.Encoder().encode


def adapt(request: ChatRequest) -> Adapted:
    """The request with the parameters that Bedrock and this model take, and the transformations.
    Raises RequestError for a request that is malformed in OpenAI's format."""
    return convert_draft(AnthropicDraft(request, BEDROCK.title), _convert)


def _convert(draft: AnthropicDraft) -> None:
    family = family_of(draft.model)
    _convert_metadata(draft)
    _convert_service_tier(draft)
    convert_response_format(draft, has_structured_outputs(draft.model), _set_text_format)
    if family.is_claude:
        _convert_for_claude(draft)
    else:
        _convert_for_family(draft, family)
    adjust_tools(draft)
    anthropic.clamp_temperature(draft)


# --- All families ---------------------------------------------------------------------------------


def _convert_metadata(draft: AnthropicDraft) -> None:
    """OpenAI's metadata and user become tags, by which AWS's log of invocations can be filtered."""
    tags = {name: _as_text(value) for name, value in draft.take_object("metadata").items()}
    if tags:
        draft.note_renamed("metadata", "requestMetadata")
    for name in ("safety_identifier", "user"):
        value = draft.take(name)
        if value is not None:
            tags.setdefault(name, _as_text(value))
            draft.note_renamed(name, f"requestMetadata.{name}")
    if tags:
        draft.put("requestMetadata", {**tags, **draft.value("requestMetadata", {})})


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _convert_service_tier(draft: AnthropicDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    if given not in SERVICE_TIERS:
        draft.note_dropped("service_tier", f"{given} is unsupported by {draft.title}")
    elif SERVICE_TIERS[given] is not None:
        draft.put("serviceTier", {"type": SERVICE_TIERS[given]})


def _set_text_format(
    draft: AnthropicDraft, described: JsonSchema, given: dict[str, Any]
) -> set[str]:
    """Returns the keywords that Bedrock does not enforce."""
    keywords: set[str] = set()
    schema: dict[str, Any] = {"schema": _encode(to_strict_schema(given, keywords)).decode()}
    schema["name"] = described.name
    if described.description is not None:
        schema["description"] = described.description
    text_format = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    draft.put("outputConfig", {"textFormat": text_format, **draft.value("outputConfig", {})})
    return keywords


# --- Claude ---------------------------------------------------------------------------------------


def _convert_for_claude(draft: AnthropicDraft) -> None:
    """Convert by Anthropic's own rules, except that Bedrock does not require ``max_tokens``:
    Converse has a default, which may be too low for a large budget of thinking."""
    is_limited = "max_tokens" in draft or "max_completion_tokens" in draft
    anthropic.convert_parameters(draft)
    budget = draft.value("thinking", {}).get("budget_tokens") or 0
    if not is_limited and budget < LARGE_BUDGET:
        draft.parameters.pop("max_tokens", None)
        draft.transformations = [
            each for each in draft.transformations if each.parameter != "max_tokens"
        ]


# --- Other families -------------------------------------------------------------------------------


def _convert_for_family(draft: AnthropicDraft, family: Family) -> None:
    draft.rules = replace(
        draft.rules,
        forced_tools=family.forced_tools,
        structured_outputs=has_structured_outputs(draft.model),
    )
    unsupported = UNSUPPORTED if family.openai_parameters else UNSUPPORTED | OPENAI_PARAMETERS
    anthropic.remove_parameters(draft, unsupported)
    anthropic.convert_stop(draft, "inferenceConfig.stopSequences")
    if draft.take("parallel_tool_calls") is False:
        draft.note_dropped("parallel_tool_calls", f"unsupported by {draft.model}")
    convert_tools(draft)
    anthropic.convert_max_tokens(draft, "inferenceConfig.maxTokens")
    convert_reasoning(draft, family)
    if family.top_k_fields is None:
        draft.drop("top_k", f"unsupported by {draft.model}")
    elif (top_k := draft.take("top_k")) is not None:
        add_model_fields(draft, family.top_k_fields(top_k))
    messages = draft.request.messages
    draft.transformations += unsupported_content(messages, draft.title, has_signed_reasoning)
