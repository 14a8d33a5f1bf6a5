"""Novita AI.

Source: novita.ai/docs, also Error codes: ``{"code": 400, "reason": "INVALID_REQUEST_BODY",
"message": ...}``.
"""

from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import MAX_TOKENS_ONLY, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODELS_AND_EMBEDDINGS, Vendor

VENDOR = Vendor(
    title="Novita AI",
    order=190,
    base_url="https://api.novita.ai/openai/v1",
    key_env="NOVITA_API_KEY",
    price_id="novita",
    request_rules=RequestRules(renamed=MAX_TOKENS_ONLY),
    errors=ErrorFormat(code_field="reason"),
    capabilities={**OPEN_MODELS_AND_EMBEDDINGS, "audio": "native: depends on the model"},
)
