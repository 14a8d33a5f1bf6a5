"""Lambda, whose inference API was shut down on 2025-09-25 (lambda.ai/inference)."""

from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor

VENDOR = Vendor(
    title="Lambda (inference shut down on 2025-09-25)",
    order=220,
    base_url="https://api.lambda.ai/v1",
    key_env="LAMBDA_API_KEY",
    capabilities=OPEN_MODELS,
)
