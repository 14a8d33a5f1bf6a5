"""Nebius Token Factory.

Source: docs.tokenfactory.nebius.com (also completions; List models has windows and prices if it is
verbose).
"""

from headway.providers.model_lists import openai_model_list
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.operations import operations

VENDOR = Vendor(
    title="Nebius Token Factory",
    order=180,
    base_url="https://api.tokenfactory.nebius.com/v1",
    key_env="NEBIUS_API_KEY",
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    model_list=openai_model_list("/models?verbose=true"),
    completions=Completions(),
    operations=operations("images/generations"),
    capabilities=OPEN_MODEL_SERVER,
)
