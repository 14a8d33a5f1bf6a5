"""SGLang's server, at the address where it listens by default.

Source: sgl-project/sglang (protocol.py, also of its completions).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.request_transforms import without_budget
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.rerank import RERANK

VENDOR = Vendor(
    title="SGLang",
    order=340,
    base_url="http://127.0.0.1:30000/v1",
    request_transforms=(without_budget,),
    request_rules=RequestRules(flatten_reasoning=False),
    completions=Completions(),
    operations=RERANK,
    capabilities={**OPEN_MODEL_SERVER, "reasoning": "native: effort; returns the text"},
)
