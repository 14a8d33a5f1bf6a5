"""llama.cpp's server, at the address where it listens by default.

Source: ggml-org/llama.cpp (tools/server, also its /v1/completions).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_transforms import named_tool_as_required
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.rerank import RERANK

VENDOR = Vendor(
    title="llama.cpp",
    order=290,
    base_url="http://127.0.0.1:8080/v1",
    request_transforms=(named_tool_as_required,),
    prefill_models="",  # ggml-org/llama.cpp pull request 13174: unless --no-prefill-assistant
    completions=Completions(),
    operations=RERANK,
    capabilities={**OPEN_MODEL_SERVER, "audio": "native: depends on the model"},
)
