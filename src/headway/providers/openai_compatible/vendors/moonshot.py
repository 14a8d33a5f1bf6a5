"""Moonshot AI (Kimi).

Sources: the schema of platform.kimi.ai/docs/api/chat; platform.kimi.ai/docs/api/errors;
platform.moonshot.ai, Chat, streaming (usage inside the choice that finishes).
"""

from __future__ import annotations

from msgspec import Raw, Struct

from headway.errors import UpstreamNotFound, UpstreamOverloaded, UpstreamQuota
from headway.events import Event
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.openai.usage import usage_events
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import (
    FORCED,
    NAMED,
    NOT_ADJUSTABLE,
    THINKING_ON_OFF,
    ReasoningSupport,
    nearest_effort,
)
from headway.providers.openai_compatible.request_rules import PENALTIES, RequestRules
from headway.providers.openai_compatible.response_transforms import (
    EventTransform,
    Memory,
    has_usage,
)
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import image_data_only, strings_only
from headway.providers.text_rules import drop_empty_answers, fill_empty_messages
from headway.providers.wire_rules import mended
from headway.types import NO_RAW
from headway.wire.lenient_json import lenient_decoder

EMPTY = "https://github.com/MoonshotAI/kimi-code/issues/1985"


class Choice(Struct):
    usage: Raw = NO_RAW


class Chunk(Struct):
    choices: list[Choice] = []


_chunk = lenient_decoder(Chunk)


def _usage_in_choice(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    if b'"usage"' not in data or has_usage(events):
        return events
    found = [choice.usage for choice in _chunk(data).choices]
    return [*events, *(event for usage in found for event in usage_events(usage))]


CALL_IDS = IdForm(source="https://github.com/fw-ai/fireconnect/issues/16", is_unique=False)
"""Kimi itself numbers the calls of each turn from 0."""
VENDOR = Vendor(
    title="Moonshot AI",
    order=90,
    base_url="https://api.moonshot.ai/v1",
    key_env="MOONSHOT_API_KEY",
    price_id="moonshotai",
    reasoning=(
        ReasoningSupport(models="moonshot-v1", efforts=NOT_ADJUSTABLE, by_default=False),
        ReasoningSupport(
            models=r"kimi-k(?:[3-9]|\d\d)",
            efforts=nearest_effort("low", "high", "max"),
            rejected_choices=frozenset((NAMED,)),
        ),
        ReasoningSupport(
            models=r"kimi-k2\.[56]",
            efforts=THINKING_ON_OFF,
            has_thinking=True,
            rejected_choices=FORCED,
        ),
        ReasoningSupport(
            models=r"kimi-k2(?:\.|-thinking)",
            efforts=NOT_ADJUSTABLE,
            has_thinking=True,
            rejected_choices=FORCED,
        ),
    ),
    request_rules=RequestRules(
        by_model={
            r"kimi-k(?:2\.[5-9]|[3-9])": dict.fromkeys(
                (*PENALTIES, "n", "temperature", "top_p"), "the model has one fixed value"
            )
        },
        bounds={"n": (1, 5), "temperature": (0, 1)},
    ),
    event_transforms=(EventTransform(_usage_in_choice, text_marker=b'"usage"'),),
    errors=ErrorFormat(
        classes={
            "engine_overloaded_error": UpstreamOverloaded,  # a 429, as a rate limit
            "exceeded_current_quota_error": UpstreamQuota,  # a 429, as a rate limit
            "resource_not_found_error": UpstreamNotFound,
        }
    ),
    wire_rules=(
        *call_id_rules(CALL_IDS),
        mended("empty_text", fill_empty_messages, EMPTY),
        mended("empty_answer", drop_empty_answers, EMPTY),
        *strings_only("https://github.com/BerriAI/litellm/tree/main/litellm/llms/moonshot"),
        image_data_only("Moonshot AI", "https://platform.kimi.ai/docs/api/chat"),
    ),
    capabilities={
        **TOOLS,
        "tool_choice": "partial: tool calls cannot be forced while the model reasons, except by "
        "`required` with kimi-k3",
        "images": "partial: as data or an uploaded file, not by URL",
        "json_schema": "native",
        "reasoning": "native: `thinking`, or effort with kimi-k3; returns the text",
        "reasoning_replay": "partial: `reasoning_content` without a signature",
        "caching": CACHE_READS,
    },
)
