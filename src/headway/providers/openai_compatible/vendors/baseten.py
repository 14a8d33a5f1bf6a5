"""Baseten.

Source: docs.baseten.co.
"""

from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor

VENDOR = Vendor(
    title="Baseten",
    order=210,
    base_url="https://inference.baseten.co/v1",
    key_env="BASETEN_API_KEY",
    price_id="baseten",
    request_rules=RequestRules(renamed=TO_MAX_TOKENS, single_choice=True),
    capabilities=OPEN_MODELS,
)
