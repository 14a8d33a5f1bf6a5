"""SiliconFlow.

Sources: docs.siliconflow.cn/en/userguide/guides/fim (completions, of some models);
docs.siliconflow.com, Chat completions (also the header x-siliconcloud-trace-id).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import budget_parameter
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.operations import operations
from headway.providers.rerank import RERANK

VENDOR = Vendor(
    title="SiliconFlow",
    order=260,
    base_url="https://api.siliconflow.com/v1",
    key_env="SILICONFLOW_API_KEY",
    request_transforms=(budget_parameter("thinking_budget", 128, 32768),),
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    errors=ErrorFormat(request_id=b"x-siliconcloud-trace-id"),
    completions=Completions(models="(?i)coder|deepseek"),
    operations={
        **operations("images/generations", "audio/speech", "audio/transcriptions"),
        **RERANK,
    },
    capabilities={
        **OPEN_MODEL_SERVER,
        "reasoning": "native: budget or `enable_thinking`; returns the text",
    },
)
