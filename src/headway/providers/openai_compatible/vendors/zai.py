"""Z.ai.

Sources: docs.z.ai/api-reference/llm/chat-completion and api-reference/api-code; Z.ai's SDK.
"""

from headway.errors import (
    UpstreamAuth,
    UpstreamContentPolicy,
    UpstreamContextWindow,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
)
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import (
    THINKING_ON_OFF,
    ReasoningSupport,
    nearest_effort,
)
from headway.providers.openai_compatible.request_rules import PENALTIES, TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import only_auto_tool_choice
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import at_most_stops, strings_only
from headway.providers.operations import operations

VENDOR = Vendor(
    title="Z.ai",
    order=100,
    base_url="https://api.z.ai/api/paas/v4",
    key_env="ZAI_API_KEY",
    price_id="zai",
    reasoning=(
        ReasoningSupport(models=r"glm-5\.2", has_thinking=True),
        ReasoningSupport(
            models=r"glm-(?:5\.[3-9]|[6-9])",
            efforts=nearest_effort("low", "high", "max"),
            has_thinking=True,
        ),
        ReasoningSupport(efforts=THINKING_ON_OFF, has_thinking=True),
    ),
    request_transforms=(only_auto_tool_choice,),
    request_rules=RequestRules(
        unsupported=(*PENALTIES, "logit_bias", "logprobs", "top_logprobs"),
        renamed=TO_MAX_TOKENS,
        neutral=dict.fromkeys(PENALTIES, 0),
        bounds={"temperature": (0, 1), "top_p": (0.01, 1)},
        single_choice=True,
        schema_in_prompt=True,
    ),
    # The codes are more precise than the statuses: 429 is an empty or a locked account, too.
    errors=ErrorFormat(
        classes={
            **dict.fromkeys(("1110", "1111", "1112", "1121", "1220"), UpstreamAuth),
            **dict.fromkeys(("1113", "1304", "1308", "1309", "1310"), UpstreamQuota),
            **dict.fromkeys(("1211", "1212", "1221", "1222"), UpstreamNotFound),
            "1261": UpstreamContextWindow,
            "1301": UpstreamContentPolicy,
            "1305": UpstreamOverloaded,
        }
    ),
    wire_rules=(
        *strings_only("https://docs.z.ai/api-reference/llm/chat-completion"),
        at_most_stops("Z.ai", 1, "https://docs.z.ai/api-reference/llm/chat-completion"),
    ),
    operations=operations("images/generations", "audio/transcriptions"),
    capabilities={
        **TOOLS,
        "tool_choice": "partial: `auto`; `none` is emulated",
        "images": "native",
        "json_schema": "emulated: JSON mode, with the schema in the prompt",
        "reasoning": "native: `thinking`, or effort from glm-5.2 on; returns the text",
        "reasoning_replay": "partial: `reasoning_content` without a signature",
        "caching": CACHE_READS,
        "embeddings": "partial: with the `base_url` of its Chinese platform, open.bigmodel.cn",
    },
)
