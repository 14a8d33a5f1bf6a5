"""DeepSeek.

Sources: api-docs.deepseek.com, Create chat completion, Create FIM completion (whose streams always
end with usage), the guides and guides/thinking_mode;
recordings (``logprobs`` during reasoning that a parameter turned on, the refusal of a forced tool,
the header with the request's id). The names deepseek-chat and deepseek-reasoner ended in July 2026:
their rules are for servers that keep them.
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import (
    FORCED,
    ON,
    THINKING_ON_OFF,
    ReasoningSupport,
)
from headway.providers.openai_compatible.request_rules import PENALTIES, TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import strings_only
from headway.providers.text_rules import continue_by_request, trim_last_message
from headway.providers.wire_rules import mended

PREFILL = "https://github.com/olimorris/codecompanion.nvim/issues/760"
"""A last message of the assistant needs ``prefix``, which only the address for betas has."""
LOGPROBS = ("logprobs", "top_logprobs")

VENDOR = Vendor(
    title="DeepSeek",
    order=20,
    base_url="https://api.deepseek.com",
    key_env="DEEPSEEK_API_KEY",
    price_id="deepseek",
    reasoning=(
        ReasoningSupport(models="chat|coder", has_thinking=True, by_default=False),
        ReasoningSupport(
            # DeepSeek maps the efforts that it lacks itself: minimal to low, medium and xhigh to
            # high.
            efforts={"none": THINKING_ON_OFF["none"], ON: THINKING_ON_OFF[ON]},
            has_thinking=True,
            dropped=dict.fromkeys(
                ("temperature", *PENALTIES), "ignored by DeepSeek during reasoning"
            ),
            rejected_choices=FORCED,
        ),
    ),
    request_rules=RequestRules(
        renamed=TO_MAX_TOKENS,
        by_model={"reasoner": dict.fromkeys(LOGPROBS, "unsupported by DeepSeek during reasoning")},
        schema_in_prompt=True,
    ),
    errors=ErrorFormat(request_id=b"x-ds-trace-id"),
    wire_rules=(
        *strings_only("https://github.com/BerriAI/litellm/issues/6642"),
        mended("trailing_whitespace", trim_last_message, PREFILL),
        mended("prefill", continue_by_request, PREFILL),
    ),
    completions=Completions(
        path="/beta/completions",
        root_suffixes=("/v1", "/beta"),
        has_one_prompt=True,
    ),
    capabilities={
        **TOOLS,
        "tool_choice": "partial: tool calls cannot be forced while the model reasons, which is "
        "the default",
        "images": "native: depends on the model",
        "json_schema": "emulated: JSON mode, with the schema in the prompt",
        "reasoning": "native: `thinking` or effort; returns the text",
        "reasoning_replay": "partial: `reasoning_content` without a signature",
        "caching": CACHE_READS,
        "logprobs": "native",
    },
)
