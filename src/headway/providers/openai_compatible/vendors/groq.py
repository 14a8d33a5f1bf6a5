"""Groq.

Sources: console.groq.com/docs/openai (what is rejected with a 400), docs/reasoning, docs/errors,
docs/flex-processing, docs/api-reference (``x_groq``), and the schema of Groq's SDK (parameters
without effect, the role ``developer``, the names of service tiers).
"""

from decimal import Decimal

from headway.errors import UpstreamOverloaded
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.message_rules import strict_messages
from headway.providers.openai_compatible.reasoning import ReasoningSupport, nearest_effort, on_off
from headway.providers.openai_compatible.request_rules import (
    PENALTIES,
    STRICT_PARAMETERS,
    RequestRules,
)
from headway.providers.openai_compatible.request_transforms import rename_values
from headway.providers.openai_compatible.response_transforms import extension_object
from headway.providers.openai_compatible.vendor import CACHE_READS, TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import json_without_tools
from headway.providers.operations import AUDIO, operations
from headway.providers.sdk_env import Variable, with_path

VENDOR = Vendor(
    title="Groq",
    order=10,
    base_url="https://api.groq.com/openai/v1",
    key_env="GROQ_API_KEY",
    environ={"base_url": Variable("GROQ_BASE_URL", with_path("/openai/v1"))},
    price_id="groq",
    prefill_models="",  # console.groq.com/docs/prefilling
    reasoning=(
        ReasoningSupport(models="gpt-oss", efforts=nearest_effort("low", "medium", "high")),
        ReasoningSupport(
            models="qwen3",
            efforts=on_off({"reasoning_effort": "none"}, {"reasoning_effort": "default"}),
        ),
        ReasoningSupport(),
    ),
    request_transforms=(
        rename_values("service_tier", {"default": "on_demand", "priority": "performance"}),
    ),
    request_rules=RequestRules(
        unsupported=(
            "logit_bias",
            "logprobs",
            "min_p",
            "top_k",
            "top_logprobs",
            *STRICT_PARAMETERS,
        ),
        ignored=(*PENALTIES, "metadata"),
        messages=strict_messages("Groq", also=("name",), developer=None),
        neutral=dict.fromkeys(PENALTIES, 0),
        single_choice=True,
    ),
    event_transforms=(extension_object("x_groq"),),
    errors=ErrorFormat(classes={"498": UpstreamOverloaded}),  # the flex tier lacks capacity: retry
    wire_rules=(json_without_tools("https://console.groq.com/docs/structured-outputs"),),
    operations=operations(*AUDIO, least_audio_s=Decimal(10)),
    capabilities={
        **TOOLS,
        "images": "native",
        "json_schema": "native: depends on the model",
        "reasoning": "native: effort; returns the text",
        "caching": CACHE_READS,
    },
)
