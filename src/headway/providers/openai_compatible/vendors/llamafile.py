"""llamafile's server, at the address where it listens by default: llama.cpp's from version 0.10 on,
and before its own, which rejected tools.

Source: mozilla-ai/llamafile (docs/api.md); its completions are llama.cpp's.
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_transforms import named_tool_as_required
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor

VENDOR = Vendor(
    title="llamafile",
    order=320,
    base_url="http://127.0.0.1:8080/v1",
    wire="openai_chat_llamafile",
    request_transforms=(named_tool_as_required,),
    completions=Completions(),
    capabilities={**OPEN_MODEL_SERVER, "audio": "native: depends on the model"},
)
