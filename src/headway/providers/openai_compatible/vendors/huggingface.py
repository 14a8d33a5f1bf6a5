"""Hugging Face's router to inference providers, which passes on the chunks of Groq and of servers
that end a stream without a reason.

Source: huggingface.co/docs/inference-providers.
"""

from headway.providers.openai_compatible.response_transforms import extension_object
from headway.providers.openai_compatible.vendor import OPEN_MODELS, Vendor

VENDOR = Vendor(
    title="Hugging Face",
    order=160,
    base_url="https://router.huggingface.co/v1",
    key_env="HF_TOKEN",
    event_transforms=(extension_object("x_groq"),),
    capabilities=OPEN_MODELS,
)
