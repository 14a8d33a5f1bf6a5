"""Baseten.

Source: docs.baseten.co.
"""

from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor

VENDOR = Vendor(
    title="Baseten",
    order=210,
    base_url="https://inference.baseten.co/v1",
    key_env="BASETEN_API_KEY",
    price_id="baseten",
    request_rules=RequestRules(renamed=MAX_TOKENS_ONLY, single_choice=True),
    capabilities=OPEN_MODELS,
)
