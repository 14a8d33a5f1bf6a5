"""Hyperbolic.

Source: docs.hyperbolic.ai (also completions, of base models).
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor

VENDOR = Vendor(
    title="Hyperbolic",
    order=200,
    base_url="https://api.hyperbolic.xyz/v1",
    key_env="HYPERBOLIC_API_KEY",
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    completions=Completions(),
    capabilities=OPEN_MODELS,
)
