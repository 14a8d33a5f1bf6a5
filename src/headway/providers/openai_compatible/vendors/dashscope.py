"""Alibaba Cloud Model Studio (DashScope, Qwen).

Sources: alibabacloud.com/help/en/model-studio: qwen-api-via-openai-chat-completions, completions
(Qwen Coder only), deep-thinking, error-code and context-cache (Vercel's AI SDK reads the tokens
written to an explicit cache likewise); help.aliyun.com/en/model-studio/error-code-start.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import UpstreamQuota, UpstreamRateLimited
from headway.events import Event, UsageReported
from headway.providers.call_argument_rules import json_argument_rules
from headway.providers.capabilities import native
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import (
    FORCED,
    NOT_ADJUSTABLE,
    ReasoningSupport,
    nearest_effort,
    on_off,
)
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.response_transforms import EventTransform, Memory
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.wire.lenient_json import Count, lenient_decoder


class PromptDetails(Struct):
    cache_creation_input_tokens: Count | None = None


class Usage(Struct):
    prompt_tokens_details: PromptDetails | None = None


_encode = msgspec.json.Encoder().encode
_usage = lenient_decoder(Usage)


def _cache_writes(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Tokens written to an explicit cache, which are part of the prompt's."""
    if b'"cache_creation_input_tokens"' not in data:
        return events
    return [_with_writes(event) if isinstance(event, UsageReported) else event for event in events]


def _with_writes(event: UsageReported) -> UsageReported:
    counts = event.openai_usage
    raw = counts if isinstance(counts, Raw) else _encode(counts)
    details = _usage(raw).prompt_tokens_details or PromptDetails()
    written = details.cache_creation_input_tokens
    return replace(event, usage=replace(event.usage, cache_write_tokens=written))


OFF, ON = {"enable_thinking": False}, {"enable_thinking": True}
BUDGET = "thinking_budget"

VENDOR = Vendor(
    title="Alibaba Cloud Model Studio (Qwen)",
    order=110,
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    key_env="DASHSCOPE_API_KEY",
    # The open models of Qwen3 reason by default, and reject that in responses without a stream;
    # from Qwen3.5 on they support it. The commercial models before reason on request only.
    reasoning=(
        ReasoningSupport(
            models="thinking|qwq|qvq",
            efforts=NOT_ADJUSTABLE,
            budget=BUDGET,
            rejected_choices=FORCED,
        ),
        ReasoningSupport(models="deepseek-v4", efforts=nearest_effort("high", "max", off=OFF)),
        ReasoningSupport(
            models=r"qwen3-(?:\d|\.)+b(?!.*instruct)",
            efforts=on_off(OFF, ON),
            budget=BUDGET,
            rejected_choices=FORCED,
            unless_streamed=OFF,
        ),
        ReasoningSupport(
            models=r"qwen3\.[5-9]", efforts=on_off(OFF, ON), budget=BUDGET, rejected_choices=FORCED
        ),
        ReasoningSupport(
            efforts=on_off(OFF, ON), budget=BUDGET, by_default=False, rejected_choices=FORCED
        ),
    ),
    request_rules=RequestRules(
        unsupported=("frequency_penalty", "logit_bias"),
        renamed=TO_MAX_TOKENS,
        neutral={"frequency_penalty": 0},
        bounds={"n": (1, 4), "temperature": (0, 1.99), "top_logprobs": (0, 5), "top_p": (0.001, 1)},
    ),
    event_transforms=(EventTransform(_cache_writes, text_marker=None),),
    wire_rules=json_argument_rules("https://github.com/HKUDS/nanobot/issues/1487"),
    errors=ErrorFormat(
        classes={
            "AllocationQuota.FreeTierOnly": UpstreamQuota,
            "Arrearage": UpstreamQuota,  # the account is empty, with status 400
            "insufficient_quota": UpstreamRateLimited,  # the tokens of this minute are used up
        }
    ),
    completions=Completions(models="coder"),
    capabilities={
        **TOOLS,
        **native("images", "audio", "json_schema", "logprobs", "embeddings"),
        "tool_choice": "partial: tool calls cannot be forced while the model reasons",
        "reasoning": "native: `enable_thinking` and budget; returns the text",
        "caching": "native: `cache_control`; reports tokens read and written",
    },
)
