"""LM Studio's server, at the address where it listens by default.

Sources: lmstudio.ai/docs (OpenAI compatibility: also completions); lmstudio-ai/lmstudio-bug-tracker
189 and 670.
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import (
    json_mode_as_schema,
    named_tool_as_required,
)
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor

VENDOR = Vendor(
    title="LM Studio",
    order=310,
    base_url="http://127.0.0.1:1234/v1",
    request_transforms=(json_mode_as_schema, named_tool_as_required),
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    completions=Completions(),
    capabilities={**OPEN_MODEL_SERVER, "json_object": "emulated: as a JSON schema of any object"},
)
