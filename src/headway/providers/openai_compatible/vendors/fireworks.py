"""Fireworks AI.

Sources: the schemas of docs.fireworks.ai, Create completion, and Create chat completion, which
rejects every field that it does not name, in messages too;
docs.fireworks.ai/guides/inference-error-codes.
"""

from headway.errors import UpstreamQuota
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.message_rules import strict_messages
from headway.providers.openai_compatible.reasoning import ReasoningSupport, nearest_effort
from headway.providers.openai_compatible.request_rules import STRICT_PARAMETERS, RequestRules
from headway.providers.openai_compatible.vendor import CACHE_READS, OPEN_MODEL_SERVER, Vendor
from headway.providers.openai_compatible.wire_rules import json_without_tools
from headway.providers.rerank import RERANK
from headway.providers.wire_rules import allowed

TOOLS_WITH_JSON = "https://docs.fireworks.ai/structured-responses/structured-response-formatting"
"""The API says: You cannot specify response format and function call at the same time."""
DOCUMENTS = "https://docs.litellm.ai/docs/providers/fireworks_ai"
"""An image's URL may lead to a document, with ``#transform=inline``."""

VENDOR = Vendor(
    title="Fireworks AI",
    order=60,
    base_url="https://api.fireworks.ai/inference/v1",
    key_env="FIREWORKS_API_KEY",
    price_id="fireworks",
    reasoning=(
        ReasoningSupport(
            models="gpt-oss|minimax-m2",
            efforts=nearest_effort("low", "medium", "high"),
            has_thinking=True,
        ),
        ReasoningSupport(
            efforts=nearest_effort("none", "low", "medium", "high", "max"),
            has_thinking=True,
            budget="reasoning_effort",  # a number there limits the tokens
        ),
    ),
    request_rules=RequestRules(
        unsupported=("prompt_cache_retention", "safety_identifier", *STRICT_PARAMETERS),
        messages=strict_messages("Fireworks AI", also=("name",), renamed={}),
        bounds={"top_logprobs": (0, 5)},
    ),
    errors=ErrorFormat(classes={"412": UpstreamQuota}),  # the account is suspended
    wire_rules=(
        json_without_tools(TOOLS_WITH_JSON),
        *allowed(DOCUMENTS, "pdf_as_image"),
    ),
    completions=Completions(),
    operations=RERANK,
    capabilities={
        **OPEN_MODEL_SERVER,
        "reasoning": "native: effort, budget or `thinking`; returns the text",
        "caching": CACHE_READS,
    },
)
