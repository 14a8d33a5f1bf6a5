"""xAI.

Sources: the schema of docs.x.ai's REST API; docs.x.ai, Reasoning, and its guide to the models
retired in May 2026. That reasoning models reject ``stop`` is BerriAI/litellm #12635; the same holds
for grok-4.5 and grok-4.6.
"""

from headway.providers.capabilities import native
from headway.providers.openai_compatible.reasoning import (
    NOT_ADJUSTABLE,
    ReasoningSupport,
    nearest_effort,
)
from headway.providers.openai_compatible.request_rules import (
    PENALTIES,
    CompiledRules,
    RequestRules,
)
from headway.providers.openai_compatible.request_transforms import stop_as_list
from headway.providers.openai_compatible.usage import ADD_REASONING_TOKENS
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import image_types
from headway.providers.operations import operations
from headway.providers.wire_rules import Rule

API = "https://docs.x.ai/docs/api-reference"
IMAGES = "https://docs.x.ai/docs/guides/image-understanding"
STOPS = "https://github.com/BerriAI/litellm/issues/12635"

VENDOR = Vendor(
    title="xAI",
    order=30,
    base_url="https://api.x.ai/v1",
    key_env="XAI_API_KEY",
    price_id="x-ai",
    reasoning=(
        ReasoningSupport(
            models=r"grok-(?:2|code|build-0|4\.20(?!.*multi-agent))", efforts=NOT_ADJUSTABLE
        ),
        ReasoningSupport(models="grok-3-mini", efforts=nearest_effort("low", "high")),
        ReasoningSupport(
            models=r"grok-4\.5|grok-build", efforts=nearest_effort("low", "medium", "high")
        ),
        ReasoningSupport(
            models=r"multi-agent|grok-4\.(?:[6-9]|[1-9]\d)",
            efforts=nearest_effort("low", "medium", "high", "xhigh"),
        ),
        # Unknown models are assumed to be as grok-4.3, which the retired names lead to.
        ReasoningSupport(efforts=nearest_effort("none", "low", "medium", "high")),
    ),
    request_transforms=(stop_as_list,),
    request_rules=RequestRules(
        unsupported=("logit_bias",),
        by_model={
            r"grok-(?:3-mini|4|code|build|latest)(?!.*non-reasoning)": dict.fromkeys(
                (*PENALTIES, "stop"), "unsupported by xAI during reasoning"
            )
        },
        bounds={"top_logprobs": (0, 8)},
    ),
    event_transforms=(ADD_REASONING_TOKENS,),  # the total has prompt, completion and reasoning
    wire_rules=(
        image_types("xAI", IMAGES, "image/jpeg", "image/png"),
        Rule(
            subject="stop",
            outcome="mended",
            source=STOPS,
            function=CompiledRules.apply,
            models="that reason",
            example_model="grok-4.5",
        ),
        Rule(
            subject="stop",
            outcome="allowed",
            source=API,
            models="others",
            example_model="grok-3",
        ),
    ),
    operations=operations("images/generations", "images/edits"),
    capabilities={
        **TOOLS,
        **native("images", "json_schema", "logprobs"),
        "reasoning": "native: effort, of some models",
        "caching": CACHE_READS,
        "citations": "partial: passed on to clients of the same wire format",
    },
)
