"""Venice.

Sources: docs.venice.ai/swagger.yaml, which rejects every field that it does not name;
docs.venice.ai, Error codes and Response headers.
"""

from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.message_rules import DEVELOPER_SUPPORTED
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.request_transforms import without_budget
from headway.providers.openai_compatible.response_transforms import REASONING_DETAILS
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, Vendor
from headway.providers.operations import operations

UNSUPPORTED = (
    "audio", "function_call", "functions", "logit_bias", "modalities", "prediction",
    "safety_identifier", "service_tier", "web_search_options",
)  # fmt: skip

VENDOR = Vendor(
    title="Venice",
    order=280,
    base_url="https://api.venice.ai/api/v1",
    key_env="VENICE_API_KEY",
    request_transforms=(without_budget,),
    request_rules=RequestRules(
        unsupported=UNSUPPORTED, messages=DEVELOPER_SUPPORTED, flatten_reasoning=False
    ),
    event_transforms=(REASONING_DETAILS,),
    errors=ErrorFormat(request_id=b"cf-ray", details_field="details"),
    operations=operations("images/generations", "audio/speech", "audio/transcriptions"),
    capabilities={
        **OPEN_MODEL_SERVER,
        "audio": "native: as data; depends on the model",
        "reasoning": "native: effort; returns the text",
        "reasoning_replay": "native: `reasoning_details`",
        "caching": "native: `cache_control`; reports tokens read",
    },
)
