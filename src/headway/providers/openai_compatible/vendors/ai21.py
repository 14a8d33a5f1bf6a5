"""AI21.

Sources: AI21Labs/ai21-python, and the schema of its API.
"""

from headway.providers.capabilities import native
from headway.providers.openai_compatible.request_rules import PENALTIES, TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import encode_without_stream_options
from headway.providers.openai_compatible.vendor import Vendor
from headway.providers.openai_compatible.wire_rules import strings_only

UNSUPPORTED = (
    *PENALTIES, "logit_bias", "logprobs", "parallel_tool_calls", "seed", "tool_choice",
    "top_logprobs",
)  # fmt: skip

VENDOR = Vendor(
    title="AI21",
    order=270,
    base_url="https://api.ai21.com/studio/v1",
    key_env="AI21_API_KEY",
    request_rules=RequestRules(
        unsupported=UNSUPPORTED, renamed=TO_MAX_TOKENS, schema_in_prompt=True
    ),
    encode_request=encode_without_stream_options,
    wire_rules=strings_only("https://docs.ai21.com/reference/jamba-1-6-api-ref"),
    capabilities={
        **native("stream", "tools", "json_object"),
        "json_schema": "emulated: JSON mode, with the schema in the prompt",
    },
)
