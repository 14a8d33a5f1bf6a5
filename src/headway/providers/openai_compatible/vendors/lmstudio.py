"""LM Studio's server, at the address where it listens by default.

Sources: lmstudio.ai/docs; lmstudio-ai/lmstudio-bug-tracker 189 and 670.
"""

from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.request_transforms import (
    json_mode_as_schema,
    named_tool_as_required,
)
from headway.providers.openai_compatible.vendor import OPEN_MODELS_AND_EMBEDDINGS, Vendor

VENDOR = Vendor(
    title="LM Studio",
    order=310,
    base_url="http://127.0.0.1:1234/v1",
    request_transforms=(json_mode_as_schema, named_tool_as_required),
    request_rules=RequestRules(renamed=MAX_TOKENS_ONLY),
    capabilities={
        **OPEN_MODELS_AND_EMBEDDINGS,
        "json_object": "emulated: as a JSON schema of any object",
    },
)
