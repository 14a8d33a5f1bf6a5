"""NVIDIA NIM.

Source: docs.api.nvidia.com/nim (bigcode/starcoder2-7b: completions; other models chat).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.openai_compatible.wire_rules import strings_only

VENDOR = Vendor(
    title="NVIDIA NIM",
    order=150,
    base_url="https://integrate.api.nvidia.com/v1",
    key_env="NVIDIA_API_KEY",
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    errors=ErrorFormat(request_id=b"nvcf-reqid"),
    wire_rules=strings_only("https://docs.api.nvidia.com/nim/reference/llm-apis"),
    completions=Completions(models="starcoder"),
    capabilities=OPEN_MODEL_SERVER,
)
