"""Hyperbolic.

Source: docs.hyperbolic.ai.
"""

from __future__ import annotations

from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor
from headway.providers.parameter_rules import ParameterRules

VENDOR = Vendor(
    title="Hyperbolic",
    order=200,
    base_url="https://api.hyperbolic.xyz/v1",
    key_env="HYPERBOLIC_API_KEY",
    request_rules=RequestRules(parameters=ParameterRules(renamed=MAX_TOKENS_ONLY)),
    has_embeddings=False,
    capabilities=OPEN_MODELS,
)
