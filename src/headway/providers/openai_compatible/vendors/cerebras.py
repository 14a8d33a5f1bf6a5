"""Cerebras.

Sources: the completions of cerebras-cloud-sdk; the schema of inference-docs.cerebras.ai, Chat
completions (July 2026), which rejects every field that it does not name (it accepts penalties,
``logit_bias``, ``service_tier`` and ``parallel_tool_calls``, which it once rejected);
inference-docs.cerebras.ai, Reasoning.
"""

from headway.providers.capabilities import native
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.message_rules import strict_messages
from headway.providers.openai_compatible.reasoning import (
    NOT_ADJUSTABLE,
    ReasoningSupport,
    nearest_effort,
)
from headway.providers.openai_compatible.request_rules import STRICT_PARAMETERS, RequestRules
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import image_data_only
from headway.providers.sdk_env import Variable, with_path

VENDOR = Vendor(
    title="Cerebras",
    order=80,
    base_url="https://api.cerebras.ai/v1",
    key_env="CEREBRAS_API_KEY",
    environ={"base_url": Variable("CEREBRAS_BASE_URL", with_path("/v1"))},
    price_id="cerebras",
    reasoning=(
        ReasoningSupport(models="gpt-oss", efforts=nearest_effort("low", "medium", "high")),
        ReasoningSupport(
            models="glm", efforts={**NOT_ADJUSTABLE, "none": {"reasoning_effort": "none"}}
        ),
        ReasoningSupport(efforts=nearest_effort("none", "low", "medium", "high")),
    ),
    request_rules=RequestRules(
        unsupported=("metadata", "min_p", "top_k", *STRICT_PARAMETERS),
        messages=strict_messages("Cerebras"),
        single_choice=True,
    ),
    wire_rules=(
        image_data_only(
            "Cerebras", "https://inference-docs.cerebras.ai/api-reference/chat-completions"
        ),
    ),
    completions=Completions(),
    capabilities={
        **TOOLS,
        **native("json_schema", "reasoning", "logprobs"),
        "images": "partial: as data; depends on the model",
        "json_object": "partial: not in streams",
        "caching": CACHE_READS,
    },
)
