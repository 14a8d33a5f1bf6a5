"""Baseten.

Source: docs.baseten.co.
"""

from __future__ import annotations

from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor
from headway.providers.parameter_rules import ParameterRules

VENDOR = Vendor(
    title="Baseten",
    order=210,
    base_url="https://inference.baseten.co/v1",
    key_env="BASETEN_API_KEY",
    price_id="baseten",
    request_rules=RequestRules(
        parameters=ParameterRules(renamed=MAX_TOKENS_ONLY), single_choice=True
    ),
    has_embeddings=False,
    capabilities=OPEN_MODELS,
)
