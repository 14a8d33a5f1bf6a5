"""NVIDIA NIM.

Source: docs.api.nvidia.com/nim.
"""

from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS_AND_EMBEDDINGS, Vendor

VENDOR = Vendor(
    title="NVIDIA NIM",
    order=150,
    base_url="https://integrate.api.nvidia.com/v1",
    key_env="NVIDIA_API_KEY",
    request_rules=RequestRules(renamed=MAX_TOKENS_ONLY),
    errors=ErrorFormat(request_id=b"nvcf-reqid"),
    capabilities=OPEN_MODELS_AND_EMBEDDINGS,
)
