"""Novita AI.

Source: novita.ai/docs, also Create completion and Error codes: ``{"code": 400, "reason":
"INVALID_REQUEST_BODY", "message": ...}``.
"""

from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor

VENDOR = Vendor(
    title="Novita AI",
    order=190,
    base_url="https://api.novita.ai/openai/v1",
    key_env="NOVITA_API_KEY",
    price_id="novita",
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    errors=ErrorFormat(code_field="reason"),
    completions=Completions(),
    capabilities={**OPEN_MODEL_SERVER, "audio": "native: depends on the model"},
)
