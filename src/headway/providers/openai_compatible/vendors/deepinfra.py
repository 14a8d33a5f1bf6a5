"""DeepInfra.

Source: api.deepinfra.com/openapi.json (also completions; ``reasoning: {effort, enabled}``; a
``top_p`` of 0 is rejected). Reasoning tokens of Gemini and Gemma are counted apart: vercel/ai,
deepinfra.
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import without_budget
from headway.providers.openai_compatible.usage import ADD_REASONING_TOKENS
from headway.providers.openai_compatible.vendor import CACHE_READS, OPEN_MODEL_SERVER, Vendor
from headway.providers.openai_compatible.wire_rules import strings_only
from headway.providers.operations import AUDIO, IMAGES, operations

VENDOR = Vendor(
    title="DeepInfra",
    order=140,
    base_url="https://api.deepinfra.com/v1/openai",
    key_env="DEEPINFRA_API_KEY",
    request_transforms=(without_budget,),
    request_rules=RequestRules(
        renamed=TO_MAX_TOKENS, bounds={"n": (1, 4), "top_p": (0.001, 1)}, flatten_reasoning=False
    ),
    event_transforms=(ADD_REASONING_TOKENS,),
    wire_rules=strings_only("https://github.com/BerriAI/litellm/issues/13982"),
    completions=Completions(),
    operations=operations(*IMAGES, *AUDIO),
    capabilities={
        **OPEN_MODEL_SERVER,
        "audio": "native: depends on the model",
        "caching": CACHE_READS,
    },
)
