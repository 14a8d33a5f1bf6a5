"""Together AI.

Sources: the schema of togethercomputer/openapi (also of completions);
docs.together.ai/docs/inference/chat/reasoning and docs/error-codes.
"""

from headway.errors import UpstreamRejected
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import ReasoningSupport, nearest_effort, on_off
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import logprobs_as_count, stop_as_list
from headway.providers.openai_compatible.vendor import CACHE_READS, OPEN_MODEL_SERVER, Vendor
from headway.providers.operations import AUDIO, operations
from headway.providers.rerank import RERANK
from headway.providers.sdk_env import Variable

OFF = {"reasoning": {"enabled": False}}

VENDOR = Vendor(
    title="Together AI",
    order=50,
    base_url="https://api.together.ai/v1",
    key_env="TOGETHER_API_KEY",
    environ={"base_url": Variable("TOGETHER_BASE_URL")},
    price_id="together",
    reasoning=(
        ReasoningSupport(models="gpt-oss", efforts=nearest_effort("low", "medium", "high")),
        ReasoningSupport(
            models=r"(?i)DeepSeek-V4|GLM-5\.[2-9]", efforts=nearest_effort("high", "max", off=OFF)
        ),
        ReasoningSupport(efforts=on_off(OFF, {"reasoning": {"enabled": True}})),
    ),
    request_transforms=(logprobs_as_count, stop_as_list),
    request_rules=RequestRules(renamed=TO_MAX_TOKENS, flatten_reasoning=False),
    # a prompt and max_tokens that are longer than the context
    errors=ErrorFormat(classes={"403": UpstreamRejected}),
    completions=Completions(),
    operations={**operations("images/generations", *AUDIO), **RERANK},
    capabilities={
        **OPEN_MODEL_SERVER,
        "audio": "native: depends on the model",
        "reasoning": "native: on, off or effort, depending on the model; returns the text",
        "caching": CACHE_READS,
        "logprobs": "partial: in the vendor's own format",
    },
)
