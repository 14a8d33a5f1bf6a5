"""vLLM's server, at the address where it listens by default.

Source: vllm-project/vllm (protocol.py, also of its completions).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_transforms import budget_parameter
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.operations import operations
from headway.providers.rerank import RERANK

VENDOR = Vendor(
    title="vLLM",
    order=300,
    base_url="http://127.0.0.1:8000/v1",
    request_transforms=(budget_parameter("thinking_token_budget", 0, 2**31 - 1),),
    completions=Completions(),
    operations={**operations("audio/transcriptions", "audio/translations"), **RERANK},
    capabilities={
        **OPEN_MODEL_SERVER,
        "audio": "native: depends on the model",
        "reasoning": "native: effort or budget; returns the text",
    },
)
